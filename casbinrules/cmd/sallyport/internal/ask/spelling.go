package ask

import (
	"fmt"
	"slices"
	"strings"
)

// Suggestion returns a hint for a name that is similar to one of known, or "".
func Suggestion(name string, known []string) string {
	for _, k := range known {
		if similar(name, k) {
			return fmt.Sprintf(": did you mean %s?", k)
		}
	}
	return ""
}

// caseSuggestion is [Suggestion] for a name that differs from one of known in letter case
// only.
func caseSuggestion(name string, known []string) string {
	return Suggestion(name, slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.EqualFold(k, name) }))
}

// objectSuggestion is [Suggestion] for an object. It is compared with the policy's objects
// segment by segment.
func (n *Names) objectSuggestion(object string) string {
	if path := "/" + object; !strings.HasPrefix(object, "/") && n.knows("obj", path) {
		return fmt.Sprintf(": did you mean %s?", path)
	}
	segments := strings.Split(object, "/")
	for _, p := range n.values["obj"] {
		if misspelt(segments, strings.Split(p.Text, "/")) {
			return fmt.Sprintf(": did you mean %s?", p.Text)
		}
	}
	return ""
}

// misspelt reports whether segments match a pattern except for typing errors.
func misspelt(segments, pattern []string) bool {
	if len(segments) != len(pattern) {
		return false
	}
	slips := 0
	for i, s := range segments {
		switch {
		case s == pattern[i], strings.ContainsAny(pattern[i], `:*{([.\?^$+|`):
		case similar(s, pattern[i]):
			slips++
		default:
			return false
		}
	}
	return slips > 0
}

// similar reports whether two different names probably differ by a typing error: letter case,
// or a letter that is missing, added, changed or swapped with its neighbour; in a long name,
// up to two such errors. Digits distinguish names on purpose.
func similar(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if '0' <= r && r <= '9' {
				return -1
			}
			return r
		}, s)
	}
	switch {
	case a == b || letters(a) == letters(b):
		return false
	case strings.EqualFold(a, b):
		return true
	}
	slips := max(len(a), len(b)) / 4
	return editDistance([]rune(a), []rune(b)) <= min(slips, 2)
}

// editDistance returns the edit distance of a and b, where swapping two neighbouring letters
// counts as one edit.
func editDistance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
