package model

import (
	"strings"
)

// Closest returns the word that a misspelt word most likely stands for, or "": it
// may differ in letter case, in at most one letter of four, or by being cut short.
func Closest(word string, words []string) string {
	word = strings.ToLower(word)
	best, least := "", len(word)+1
	for _, w := range words {
		lower := strings.ToLower(w)
		n := editDistance(word, lower)
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

// editDistance returns how many added, removed or changed letters, and swapped
// pairs of letters, turn a into b.
func editDistance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			other := last[j]
			if a[i] != b[j] {
				other++
			}
			row[j+1] = min(other, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// DidYouMean prepends the closest word to a hint.
func DidYouMean(word string, words []string, hint string) string {
	if near := Closest(word, words); near != "" {
		return "did you mean " + near + "? " + hint
	}
	return hint
}
