package challenge

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestNewEscapesOnlyQuoteAndBackslash(t *testing.T) {
	for _, c := range []struct{ name, realm, want string }{
		{"A07 realm is quoted", "restricted", `Basic realm="restricted"`},
		{"A08 quote and backslash", `a"b\c`, `Basic realm="a\"b\\c"`},
		{"A09 a realm that plays parameter stays one", `a", evil="b`, `Basic realm="a\", evil=\"b"`},
		{"empty", "", `Basic realm=""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch, err := New("Basic", Param{Name: "realm", Value: c.realm})
			if err != nil {
				t.Fatal(err)
			}
			if ch.String() != c.want {
				t.Errorf("%s, want %s", ch, c.want)
			}
			back, err := Parse(ch.String())
			if err != nil {
				t.Fatal(err)
			}
			check(t, back, basic(c.realm))
		})
	}
}

func TestNewRefuses(t *testing.T) {
	realm := Param{Name: "realm", Value: "x"}
	for _, c := range []struct {
		name   string
		scheme string
		params []Param
		says   string
	}{
		{"A09 CR", "Basic", []Param{{Name: "realm", Value: "a\rb"}}, `"realm"`},
		{"A09 LF", "Basic", []Param{{Name: "realm", Value: "a\nb"}}, "offset 1"},
		{"A09 NUL", "Basic", []Param{{Name: "realm", Value: "\x00"}}, "0x00"},
		{"A09 DEL", "Basic", []Param{{Name: "realm", Value: "\x7f"}}, "0x7f"},
		{"A09 TAB", "Basic", []Param{{Name: "realm", Value: "\t"}}, "0x09"},
		{"A09 outside ASCII", "Basic", []Param{{Name: "realm", Value: "foo-\u00e4"}}, "offset 4"},
		{"A09 in any parameter", "Bearer", []Param{realm, {Name: "scope", Value: "a\nb"}}, `"scope"`},
		{"A07 bare realm", "Basic", []Param{{Name: "Realm", Value: "x", Bare: true}}, "quoted"},
		{"A11 a name twice", "Basic", []Param{realm, {Name: "REALM", Value: "y"}}, "twice"},
		{"empty scheme", "", nil, "scheme"},
		{"scheme with a space", "Basic x", nil, "scheme"},
		{"empty name", "Basic", []Param{{Value: "x"}}, "name"},
		{"name that is no token", "Basic", []Param{{Name: "a=b"}}, "name"},
		{"bare value that is no token", "Digest", []Param{{Name: "stale", Value: "a b", Bare: true}}, "stale"},
		{"empty bare value", "Digest", []Param{{Name: "stale", Bare: true}}, "stale"},
		{"more parameters than Parse takes", "X", manyParams(MaxParams + 1), "33 parameters"},
		{"more bytes than Parse takes", "X", []Param{{Name: "a", Value: strings.Repeat("x", MaxBytes)}}, "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch, err := New(c.scheme, c.params...)
			if err == nil {
				t.Fatalf("made %s", ch)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not say %q", err, c.says)
			}
		})
	}
}

func manyParams(n int) []Param {
	params := make([]Param, n)
	for i := range params {
		params[i] = Param{Name: fmt.Sprintf("p%d", i), Value: "v"}
	}
	return params
}

func TestNewKeepsNothingOfItsArguments(t *testing.T) {
	params := []Param{{Name: "realm", Value: "before"}}
	c, err := New("Basic", params...)
	if err != nil {
		t.Fatal(err)
	}
	params[0].Value = "after"
	if v, _ := c.Param("realm"); v != "before" {
		t.Errorf("realm %q changed with the caller's slice", v)
	}
}

func TestNewSurvivesTheWayToTheClient(t *testing.T) {
	for _, params := range [][]Param{
		nil,
		{{Name: "realm", Value: `\"`}, {Name: "charset", Value: "UTF-8"}},
		{{Name: "realm", Value: "x"}, {Name: "algorithm", Value: "SHA-512-256", Bare: true}, {Name: "a", Value: ""}},
		manyParams(MaxParams),
	} {
		c, err := New("Digest", params...)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Parse(c.String()); err != nil || !reflect.DeepEqual(back, []Challenge{c}) {
			t.Errorf("%s parses as %v, %v", c, back, err)
		}
	}
}

func TestParamOfAbsentName(t *testing.T) {
	c, err := New("Negotiate")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := c.Param("realm"); v != "" || ok {
		t.Errorf("Param = %q, %v", v, ok)
	}
}
