package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

const thumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" // RFC 9449's example key

func set(t *testing.T, text string) Set {
	t.Helper()
	var s Set
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPaths(t *testing.T) {
	for name, want := range map[string]int{"roles": 1, "realm_access.roles": 2, "https://example.com/roles": 1} {
		if p, err := ParsePath(name); err != nil || len(p) != want || p.String() != name {
			t.Errorf("%s: %q, %v", name, p, err)
		}
	}
	for name, want := range map[string]Path{
		`example\.com/roles`:                         {"example.com/roles"},
		`resource_access.reports\.api.roles`:         {"resource_access", "reports.api", "roles"},
		`resource_access.https://a\.example/x.roles`: {"resource_access", "https://a.example/x", "roles"},
		`a\\.b`: {`a\`, "b"},
	} {
		if p, err := ParsePath(name); err != nil || !slices.Equal(p, want) {
			t.Errorf("%s: %q, %v, want %q", name, p, err, want)
		}
	}
	for _, name := range []string{"", ".", "a.", ".a", "a..b", `a\`, `a\b`, `a\.b.`} {
		if p, err := ParsePath(name); err == nil {
			t.Errorf("%q is %q", name, p)
		}
	}
}

func TestTextsNamesKeysAndScopes(t *testing.T) {
	s := set(t, `{"text":"a b","empty":"","null":null,"number":1,"line":"a\nb","in":{"deep":{"list":["x","y"]},"a.b":{"c\\d":"e"}},
		"none":[],"mixed":["x",1],"blank":["x",""],"control":["x\u0000"],"spaced":["a b"],"through":null,"yes":true,
		"keys":{"b":{},"a":true,"not":false,"nor":null},"odd":{"a":1},"nameless":{"":true},"nobody":{}}`)
	for _, tt := range []struct{ path, text, names, keys, scopes string }{ // "!" is an error
		{"text", "a b", "a b", "!", "a,b"},
		{"empty", "", "", "!", ""},
		{"missing", "", "", "", ""},
		{"in.missing", "", "", "", ""},
		{"missing.deeper", "", "", "", ""},
		{"null", "!", "", "", "!"},
		{"through.null", "!", "", "", "!"},
		{"number", "!", "!", "!", "!"},
		{"yes", "!", "!", "!", "!"},
		{"line", "!", "!", "!", "!"},
		{"text.deeper", "!", "!", "!", "!"},
		{"in.deep.list", "!", "x,y", "!", "x,y"},
		{`in.a\.b.c\\d`, "e", "e", "!", "e"},
		{"in.a.b", "", "", "", ""},
		{"none", "!", "", "!", ""},
		{"mixed", "!", "!", "!", "!"},
		{"blank", "!", "!", "!", "!"},
		{"control", "!", "!", "!", "!"},
		{"spaced", "!", "a b", "!", "!"},
		{"keys", "!", "!", "a,b", "!"},
		{"odd", "!", "!", "!", "!"},
		{"nameless", "!", "!", "!", "!"},
		{"nobody", "!", "!", "", "!"},
	} {
		p, err := ParsePath(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Text(s, p); (err != nil) != (tt.text == "!") || err == nil && got != tt.text {
			t.Errorf("text at %s: %q, %v", tt.path, got, err)
		}
		for _, read := range []struct {
			what string
			f    func(Set, Path) ([]string, error)
			want string
		}{{"names", Names, tt.names}, {"keys", Keys, tt.keys}, {"scopes", Scopes, tt.scopes}} {
			if got, err := read.f(s, p); (err != nil) != (read.want == "!") || err == nil && strings.Join(got, ",") != read.want {
				t.Errorf("%s at %s: %q, %v, want %s", read.what, tt.path, got, err, read.want)
			}
		}
	}
}

// E13: a string or an array of strings.
func TestAudience(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", `{"aud":"a"}`: "a", `{"aud":["a","b"]}`: "a,b", `{"aud":[]}`: "",
		`{"aud":null}`: "!", `{"aud":1}`: "!", `{"aud":["a",1]}`: "!", `{"aud":{"a":"b"}}`: "!",
	} {
		if got, err := Audience(set(t, text)); (err != nil) != (want == "!") || err == nil && strings.Join(got, ",") != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// E15: a number of seconds, and a date that there is.
func TestDates(t *testing.T) {
	for text, want := range map[string]time.Time{
		"0": time.Unix(0, 0), "1300819380": time.Unix(1300819380, 0), "1.5": time.Unix(1, 5e8), "253402300799": time.Unix(253402300799, 0),
	} {
		if got, ok, err := Date(set(t, `{"exp":`+text+`}`), "exp"); err != nil || !ok || !got.Equal(want) {
			t.Errorf("%s: %v, %v, %v", text, got, ok, err)
		}
	}
	for _, text := range []string{"-1", `"123"`, "null", "true", "[]", "1e19", "253402300800"} {
		if got, _, err := Date(set(t, `{"exp":`+text+`}`), "exp"); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
	if _, ok, err := Date(Set{}, "exp"); ok || err != nil {
		t.Errorf("no claim: %v, %v", ok, err)
	}
	if _, _, err := Date(Set{"exp": json.Number("12345678901234567890")}, "exp"); err == nil {
		t.Error("an integer that no float64 holds")
	}
}

// RFC 6749 §3.3: spaces and nothing else.
func TestScopes(t *testing.T) {
	if got := strings.Join(SplitScope("a  b\tc "), "|"); got != "a|b\tc" {
		t.Errorf("%q", got)
	}
}

// RFC 9449 §6.1.
func TestThumbprint(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                   "",
		`{"cnf":{"jkt":"` + thumbprint + `"}}`: thumbprint,
		`{"cnf":{"jkt":"` + thumbprint + `","x":1}}`:         thumbprint,
		`{"cnf":{"jkt":"` + thumbprint + `","kid":"k"}}`:     "!",
		`{"cnf":{"x5t#S256":"` + thumbprint + `"}}`:          "!",
		`{"cnf":{"jkt":"` + thumbprint[:42] + `J"}}`:         "!", // other last bits
		`{"cnf":{"jkt":"` + thumbprint[:40] + `"}}`:          "!",
		`{"cnf":{"jkt":"` + thumbprint[:42] + `\n` + "I\"}}": "!",
		`{"cnf":{"jkt":1}}`:                                  "!",
		`{"cnf":{}}`:                                         "!",
		`{"cnf":null}`:                                       "!",
		`{"cnf":"` + thumbprint + `"}`:                       "!",
	} {
		if got, err := Thumbprint(set(t, text)); (err != nil) != (want == "!") || err == nil && got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}
