package ascii

import (
	"testing"
	"unicode"
)

func TestOnlyASCIIHasLetterCase(t *testing.T) {
	if got := Lower("API.\u0130\u1E9E\u212A\u00C9\xff-9[]"); got != "api.\u0130\u1E9E\u212A\u00C9\xff-9[]" {
		t.Errorf("%q", got)
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		s := string(r)
		if (Lower(s) != s) != ('A' <= r && r <= 'Z') {
			t.Fatalf("%q becomes %q", s, Lower(s))
		}
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if both := r < 0x80 && other < 0x80; EqualFold(s, string(other)) != both {
				t.Fatalf("%q and %q: %v", r, other, !both)
			}
		}
	}
	if !EqualFold("ApI.example", "aPi.EXAMPLE") || EqualFold("api", "apis") || EqualFold("\xff", "\xfe") {
		t.Error("EqualFold")
	}
}

func TestLettersAndDigits(t *testing.T) {
	for c := range 256 {
		r := rune(c)
		want := c < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r))
		if IsAlphanumeric(byte(c)) != want || Only(string([]byte{byte(c)}), "-") != (want || c == '-') {
			t.Errorf("%q", r)
		}
	}
	for s, want := range map[string]int{"": 0, "/": 0, "a-9": 3, "a-/9": 2, "\u00e9": 0} {
		if got := Span(s, "-"); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	if Only("", "-") || Only("a\u00e9", "-") || !Only("a-9", "-") {
		t.Error("Only")
	}
	for s, want := range map[string]int{"": 0, "Basic x": 5, "a!#$%&'*+-.^_`|~9=": 17, " a": 0, "\u00e9": 0} {
		if got := TokenLen(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
