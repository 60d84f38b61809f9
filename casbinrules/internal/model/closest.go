package model

import (
	"strings"

	"github.com/sallyport-go/sallyport/core/spelling"
)

// Closest returns the word that a misspelt word most likely stands for, or "": it
// may differ in letter case, in at most one letter of four, or by being cut short.
func Closest(word string, words []string) string {
	word = strings.ToLower(word)
	best, least := "", len(word)+1
	for _, w := range words {
		lower := strings.ToLower(w)
		n := spelling.Distance(word, lower)
		if n > max(1, len(w)/4) && isBeginning(word, lower) {
			n = len(word) // ranks after all misspellings
		} else if n > max(1, len(w)/4) {
			continue
		}
		if n < least {
			best, least = w, n
		}
	}
	return best
}

// isBeginning reports whether one of two words is the beginning of the other.
func isBeginning(a, b string) bool {
	return min(len(a), len(b)) >= 3 && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// DidYouMean prepends the closest word to a hint.
func DidYouMean(word string, words []string, hint string) string {
	if near := Closest(word, words); near != "" {
		return "did you mean " + near + "? " + hint
	}
	return hint
}
