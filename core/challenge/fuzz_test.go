package challenge

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", `Basic realm="foo"`, `Basic , realm="foo"`, `Basic, realm="foo"`, `Basic realm="\"foo\""`,
		`Basic realm="foo", bar="xyz",, a=b,,,c=d`, `Newauth realm="a", basic=foo, Basic realm="b"`,
		"Negotiate abc==\n, Basic realm=\"x\"", "Basic realm=x\ncharset=\"UTF-8\"", "Basic \t, a = b",
		"Basic realm=\"a\x00\"", "Basic realm=\"\xe4\t\"", `Basic realm="basic`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > MaxBytes/4 {
			return // joining adds bytes; the limit has its own test
		}
		lines := strings.Split(s, "\n")
		got, err := Parse(lines...)
		if err != nil {
			checkSyntaxError(t, err, lines)
			return
		}
		joined, err := Parse(strings.Join(lines, ", "))
		if err != nil || !reflect.DeepEqual(joined, got) {
			t.Errorf("joined lines parse as %q, %v; apart as %q", joined, err, got)
		}
		var texts []string
		for _, c := range got {
			checkShape(t, c)
			texts = append(texts, c.String())
		}
		again, err := Parse(texts...)
		if err != nil || len(again) != len(got) || len(got) > 0 && !reflect.DeepEqual(again, got) {
			t.Errorf("rendered form %q parses as %q, %v", texts, again, err)
		}
	})
}

func checkSyntaxError(t *testing.T, err error, lines []string) {
	t.Helper()
	var se *SyntaxError
	if !errors.As(err, &se) {
		t.Fatalf("error %v is no SyntaxError", err)
	}
	if se.Line < 1 || se.Line > len(lines) || se.Offset < 0 || se.Offset > len(lines[se.Line-1]) {
		t.Errorf("%v is outside the field", err)
	}
}

func checkShape(t *testing.T, c Challenge) {
	t.Helper()
	if !IsToken(c.Scheme()) {
		t.Errorf("scheme %q", c.Scheme())
	}
	if c.Token68() != "" && (len(c.Params()) > 0 || !IsToken68(c.Token68())) {
		t.Errorf("token68 %q with parameters %v", c.Token68(), c.Params())
	}
	for i, p := range c.Params() {
		if _, twice := find(c.Params()[:i], p.Name); twice || !IsToken(p.Name) {
			t.Errorf("parameter %q", p.Name)
		}
		if strings.ContainsAny(p.Value, "\x00\r\n") {
			t.Errorf("value %q", p.Value)
		}
	}
}

func FuzzParseCredentials(f *testing.F) {
	for _, s := range []string{
		"", "Basic", "Basic dTpw", "Basic  dTpw==", "Basic\tdTpw", "Bearer a b", "Bearer a,b", " Basic x ",
		`Digest username="a\"b", realm="x", nc=00000001,`, `Digest a=b, A=c`, "Digest \t, a=b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseCredentials(s)
		scheme, rest, ok := Split(s)
		if err != nil {
			checkSyntaxError(t, err, []string{s})
			if ok && IsToken68(rest) && len(s) <= MaxBytes {
				t.Errorf("refused %q, which Split and IsToken68 accept: %v", s, err)
			}
			return
		}
		if !ok || scheme != got.Scheme || (got.Token68 != "") != IsToken68(rest) || got.Token68 != "" && got.Token68 != rest {
			t.Errorf("Split gives %q, %q, %v; ParseCredentials gives %+v", scheme, rest, ok, got)
		}
		cs, err := Parse(s)
		if err != nil || len(cs) != 1 {
			t.Fatalf("as a challenge %q, %v; credentials %+v", cs, err, got)
		}
		if same := (Credentials{cs[0].Scheme(), cs[0].Token68(), cs[0].Params()}); !reflect.DeepEqual(same, got) {
			t.Errorf("as a challenge %+v; as credentials %+v", same, got)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("Basic", "realm", `a"b\c`, false, "charset", "UTF-8", false)
	f.Add("Basic", "realm", `a", evil="b`, false, "x", "", false)
	f.Add("Digest", "algorithm", "SHA-256", true, "stale", "true", true)
	f.Add("Basic", "realm", "a\r\nSet-Cookie: x", false, "Realm", "\x00", true)
	f.Fuzz(func(t *testing.T, scheme, name1, value1 string, bare1 bool, name2, value2 string, bare2 bool) {
		c, err := New(scheme, Param{name1, value1, bare1}, Param{name2, value2, bare2})
		if err != nil {
			return
		}
		back, err := Parse(c.String())
		if err != nil || !reflect.DeepEqual(back, []Challenge{c}) {
			t.Errorf("%q parses as %q, %v", c, back, err)
		}
	})
}
