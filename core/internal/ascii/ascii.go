// Package ascii knows the letters and digits of ASCII. It ignores the letter case of ASCII
// alone, as the names of hosts do (RFC 3986 §3.2.2, RFC 5890 §2.3.2.1). Unicode folds other
// characters onto ASCII letters or onto each other: U+0130 becomes "i" in lower case,
// although a host with it is another one.
package ascii

import "strings"

// Lower returns s with the letters A to Z in lower case.
func Lower(s string) string {
	first := strings.IndexFunc(s, isUpper)
	if first < 0 {
		return s
	}
	b := []byte(s)
	for i := first; i < len(b); i++ {
		if isUpper(rune(b[i])) {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

func isUpper(r rune) bool { return 'A' <= r && r <= 'Z' }

// EqualFold reports whether s and t are equal but for the letter case of A to Z.
func EqualFold(s, t string) bool { return len(s) == len(t) && Lower(s) == Lower(t) }

// IsAlphanumeric reports whether c is a letter or a digit.
func IsAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Span returns the length of what s begins with of letters, digits and others.
func Span(s, others string) int {
	for i := range len(s) {
		if !IsAlphanumeric(s[i]) && strings.IndexByte(others, s[i]) < 0 {
			return i
		}
	}
	return len(s)
}

// Only reports whether s is not empty and consists of letters, digits and others.
func Only(s, others string) bool { return s != "" && Span(s, others) == len(s) }

// TokenLen returns the length of the token (RFC 9110 §5.6.2) that s begins with.
func TokenLen(s string) int {
	for i := range len(s) {
		if c := s[i]; !IsAlphanumeric(c) && (c == ' ' || strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0) {
			return i
		}
	}
	return len(s)
}
