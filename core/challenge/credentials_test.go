package challenge

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseCredentials(t *testing.T) {
	for _, c := range []struct {
		name, field string
		want        Credentials
	}{
		{"scheme alone", "Negotiate", Credentials{Scheme: "Negotiate"}},
		{"A10 letter case is kept", "bEARER x", Credentials{Scheme: "bEARER", Token68: "x"}},
		{"A12 token68 with padding", "Basic dTpw=", Credentials{Scheme: "Basic", Token68: "dTpw="}},
		{"A12 all of token68", "Bearer aZ09-._~+/==", Credentials{Scheme: "Bearer", Token68: "aZ09-._~+/=="}},
		{"A13 two SP", "Basic  dTpw", Credentials{Scheme: "Basic", Token68: "dTpw"}},
		{"whitespace around the field", " \tBasic dTpw\t ", Credentials{Scheme: "Basic", Token68: "dTpw"}},
		{"A11 token and quoted form mean the same", `Digest a=b, c = "b"`,
			Credentials{Scheme: "Digest", Params: []Param{{"a", "b", true}, {"c", "b", false}}}},
		{"empty members", `Digest , a="1",, b="2",`,
			Credentials{Scheme: "Digest", Params: []Param{{"a", "1", false}, {"b", "2", false}}}},
		{"bytes outside ASCII are kept", "Digest username=\"J\xc3\xa4s\xf8n\"",
			Credentials{Scheme: "Digest", Params: []Param{{"username", "J\xc3\xa4s\xf8n", false}}}},
		{"as many bytes as allowed", "Bearer " + strings.Repeat("x", MaxBytes-7),
			Credentials{Scheme: "Bearer", Token68: strings.Repeat("x", MaxBytes-7)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseCredentials(c.field)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestCredentialsParamInAnyLetterCase(t *testing.T) {
	c, err := ParseCredentials(`Digest userName="x"`)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := c.Param("USERNAME"); v != "x" || !ok {
		t.Errorf("A10: Param = %q, %v", v, ok)
	}
	if _, ok := c.Param("realm"); ok {
		t.Error("an absent parameter is found")
	}
}

func TestParseCredentialsRefuses(t *testing.T) {
	for _, c := range []struct {
		name, field string
		offset      int
	}{
		{"empty field", "", 0},
		{"A11 a name twice", `Digest a="1", A="2"`, 14},
		{"A12 SP in a token68", "Bearer a b", 9},
		{"A12 comma after a token68", "Bearer a,b", 8},
		{"A12 token68 and parameters", "Basic dTpw, a=b", 10},
		{"A12 more after the padding", "Basic dTpw=x=", 12},
		{"A12 padding alone", "Bearer ==", 7},
		{"A12 line break in a token68", "Basic dT\npw", 8},
		{"A13 TAB after the scheme", "Basic\tdTpw", 5},
		{"A13 TAB after SP", "Basic \tdTpw", 7},
		{"A13 comma after the scheme", "Basic,dTpw", 5},
		{"two credentials", `Digest a=b, Basic dTpw`, 18},
		{"scheme in quotes", `"Basic" dTpw`, 0},
		{"NUL", "Bearer a\x00", 8},
		{"one byte more than allowed", "Bearer " + strings.Repeat("x", MaxBytes-6), MaxBytes},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseCredentials(c.field)
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("parsed as %+v with error %v, want a SyntaxError", got, err)
			}
			if se.Line != 1 || se.Offset != c.offset {
				t.Errorf("%v, want offset %d", err, c.offset)
			}
			if !reflect.DeepEqual(got, Credentials{}) {
				t.Errorf("partial result %+v", got)
			}
		})
	}
}

func TestErrorsHoldNothingOfTheField(t *testing.T) {
	for _, field := range []string{"hunter2 hunter2 hunter2", `Digest hunter2=a, hunter2=b`, "hunter2=x", "Bearer hunter2\thunter2"} {
		_, err := ParseCredentials(field)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error %v", field, err)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, field, scheme, rest string
		ok                        bool
	}{
		{"scheme and rest", "Basic dTpw", "Basic", "dTpw", true},
		{"A13 more than one SP", "Basic   dTpw", "Basic", "dTpw", true},
		{"rest is not looked at", "X a\tb, c", "X", "a\tb, c", true},
		{"scheme alone", "Basic", "Basic", "", true},
		{"scheme and SP", "Basic  ", "Basic", "", true},
		{"whitespace around the field", "\t Basic dTpw \t", "Basic", "dTpw", true},
		{"A13 TAB", "Basic\tdTpw", "Basic", "", false},
		{"other separator", "Basic,dTpw", "Basic", "", false},
		{"no scheme", "=x", "", "", false},
		{"empty", "", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			scheme, rest, ok := Split(c.field)
			if scheme != c.scheme || rest != c.rest || ok != c.ok {
				t.Errorf("%q, %q, %v; want %q, %q, %v", scheme, rest, ok, c.scheme, c.rest, c.ok)
			}
		})
	}
}

func TestIsToken68(t *testing.T) {
	for _, s := range []string{"a", "a=", "a==", "aZ09-._~+/"} {
		if !IsToken68(s) {
			t.Errorf("A12: %q is a token68", s)
		}
	}
	for _, s := range []string{"", "=", "a=b", "a b", "a\n", "a,", "\u00e4", "a\x00", " a"} {
		if IsToken68(s) {
			t.Errorf("A12: %q is no token68", s)
		}
	}
}

func TestSplitAndIsToken68DoNotAllocate(t *testing.T) {
	field := "Bearer  " + strings.Repeat("x", 2000) + "=="
	n := testing.AllocsPerRun(100, func() {
		_, rest, ok := Split(field)
		if !ok || !IsToken68(rest) {
			t.Error("not split")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
