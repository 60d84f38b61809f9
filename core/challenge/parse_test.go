package challenge

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []want
	}{
		{"no line", nil, nil},
		{"empty members only", []string{" ,, \t,", ""}, nil},
		{"example of RFC 9110 §11.6.1", []string{`Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\""`},
			[]want{{"Basic", "", []string{"realm", "simple"}}, {"Newauth", "", []string{"realm", "apps", "type", "1", "title", `Login to "apps"`}}}},
		{"token68 and a challenge on one line", []string{`Negotiate abc==, Basic realm="x"`},
			[]want{{"Negotiate", "abc==", nil}, {"Basic", "", []string{"realm", "x"}}}},
		{"token68 and a line that begins with a comma", []string{`Negotiate abc==`, `, Basic realm="x"`},
			[]want{{"Negotiate", "abc==", nil}, {"Basic", "", []string{"realm", "x"}}}},
		{"token68 without padding", []string{"Negotiate a-._~+/9"}, []want{{"Negotiate", "a-._~+/9", nil}}},
		{"token68 that looks like a name without value", []string{"Negotiate abc= ,Basic"}, []want{{"Negotiate", "abc=", nil}, {"Basic", "", nil}}},
		{"scheme after a parameter list that stayed empty", []string{"Basic , Negotiate abc"}, []want{{"Basic", "", nil}, {"Negotiate", "abc", nil}}},
		{"whitespace before a comma may be a TAB", []string{"Basic \t, realm=x"}, []want{{"Basic", "", []string{"realm", "x"}}}},
		{"whitespace around =", []string{"Newauth a \t=\t b , c= \"d\""}, []want{{"Newauth", "", []string{"a", "b", "c", "d"}}}},
		{"more than one SP after the scheme", []string{"Basic   realm=x"}, []want{{"Basic", "", []string{"realm", "x"}}}},
		{"parameter on the next line, RFC 9110 §5.3", []string{`Basic realm="x"`, `charset="UTF-8"`},
			[]want{{"Basic", "", []string{"realm", "x", "charset", "UTF-8"}}}},
		{"one scheme twice", []string{`Digest realm="x", algorithm=SHA-256`, `Digest realm="x", algorithm=MD5`},
			[]want{{"Digest", "", []string{"realm", "x", "algorithm", "SHA-256"}}, {"Digest", "", []string{"realm", "x", "algorithm", "MD5"}}}},
		{"quoted pairs side by side", []string{`X a="\\\"", b="\	"`}, []want{{"X", "", []string{"a", `\"`, "b", "\t"}}}},
		{"empty quoted string", []string{`X a=""`}, []want{{"X", "", []string{"a", ""}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.lines...)
			if err != nil {
				t.Fatal(err)
			}
			check(t, got, c.want)
		})
	}
}

// The place is part of the contract: it is all that an operator has.
func TestParseRefusesWithLineAndOffset(t *testing.T) {
	for _, c := range []struct {
		name         string
		lines        []string
		line, offset int
	}{
		{"duplicate in another letter case", []string{`Basic realm="a", REALM=b`}, 1, 17},
		{"duplicate on another line", []string{`Basic realm="a"`, `realm="b"`}, 2, 0},
		{"TAB after the scheme", []string{"Basic\trealm=x"}, 1, 6},
		{"TAB after SP after the scheme", []string{"Basic \trealm=x"}, 1, 7},
		{"parameter before any scheme", []string{"", ` realm="x"`}, 2, 1},
		{"parameter after a token68", []string{"Negotiate abc, a=b"}, 1, 15},
		{"SP in a token68", []string{"Bearer a b"}, 1, 9},
		{"two parameters without comma", []string{`Basic a="b" c="d"`}, 1, 12},
		{"no name before =", []string{"Basic a=b, =x"}, 1, 11},
		{"= after a scheme", []string{"Basic =x"}, 1, 0},
		{"no value", []string{"Basic a=b, c="}, 1, 13},
		{"quote closed on the next line", []string{`Basic realm="a`, `b"`}, 1, 12},
		{"backslash at the end", []string{`Basic realm="a\`}, 1, 12},
		{"NUL in a quoted string", []string{"Basic realm=\"a\x00\""}, 1, 14},
		{"NUL escaped", []string{"Basic realm=\"a\\\x00\""}, 1, 15},
		{"NUL in a token", []string{"Basic a\x00=b"}, 1, 7},
		{"DEL in a quoted string", []string{"Basic realm=\"\x7f\""}, 1, 13},
		{"LF in a quoted string", []string{"Basic realm=\"a\nb\""}, 1, 14},
		{"byte outside ASCII in a scheme", []string{"B\u00e4sic"}, 1, 1},
		{"scheme that is none", []string{"Basic, (x)"}, 1, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.lines...)
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("parsed as %q with error %v, want a SyntaxError", got, err)
			}
			if got != nil {
				t.Errorf("partial result %q", got)
			}
			if se.Line != c.line || se.Offset != c.offset {
				t.Errorf("%v; want line %d, offset %d", err, c.line, c.offset)
			}
			if place := fmt.Sprintf("line %d, offset %d: ", c.line, c.offset); !strings.Contains(err.Error(), place) {
				t.Errorf("%q does not say %q", err, place)
			}
		})
	}
}

func TestParseIsBounded(t *testing.T) {
	params := func(n int) string {
		var b strings.Builder
		b.WriteString("X ")
		for i := range n {
			fmt.Fprintf(&b, "p%d=v,", i)
		}
		return b.String()
	}
	value := func(total int) string { return `Basic realm="` + strings.Repeat("x", total-14) + `"` }
	for _, c := range []struct {
		name  string
		lines []string
		n     int // challenges; -1 for refused
	}{
		{"100 challenges on one line", []string{strings.Repeat(`Basic realm="x", `, 100)}, 100},
		{"as many challenges as allowed, a line each", strings.Split(strings.Repeat("Basic\n", MaxChallenges-1)+"Basic", "\n"), MaxChallenges},
		{"one challenge more", []string{strings.Repeat("Basic,", MaxChallenges+1)}, -1},
		{"as many parameters as allowed", []string{params(MaxParams)}, 1},
		{"one parameter more", []string{params(MaxParams + 1)}, -1},
		{"as many bytes as allowed", []string{value(MaxBytes)}, 1},
		{"one byte more", []string{value(MaxBytes + 1)}, -1},
		{"a value of 64 KiB", []string{value(64<<10 + 14)}, -1},
		{"one byte more over two lines", []string{value(MaxBytes - 5), "Newbie"}, -1},
		{"64 KiB of commas", []string{strings.Repeat(",", MaxBytes)}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Parse(c.lines...)
			if (err != nil) != (c.n < 0) || err == nil && len(got) != c.n {
				t.Errorf("%d challenges, error %v; want %d", len(got), err, c.n)
			}
		})
	}
}

func TestParsedChallengeRendersCanonically(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`BASIC ,REALM=foo`, `BASIC REALM="foo"`},
		{"Negotiate   abc==  ,", "Negotiate abc=="},
		{`Digest realm="a\b\"" , algorithm =SHA-256,stale="true"`, `Digest realm="ab\"", algorithm=SHA-256, stale="true"`},
		{"Basic realm=\"\xe4\t\"", "Basic realm=\"\xe4\t\""},
		{"Newauth,", "Newauth"},
	} {
		got, err := Parse(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].String() != c.want {
			t.Errorf("%s renders as %s, want %s", c.in, got[0], c.want)
		}
		again, err := Parse(got[0].String())
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s parses again as %v, %v", got[0], again, err)
		}
	}
}
