// Package printable makes texts fit to be shown to people.
package printable

import (
	"fmt"
	"strings"
	"unicode"
)

// Text replaces the characters of s that could forge or hide output, except those in
// kept.
func Text(s, kept string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || strings.ContainsRune(kept, r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// Count returns a text such as "1 warning" or "2 warnings".
func Count[N int | uint64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
