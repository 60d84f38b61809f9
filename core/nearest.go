package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// shownNames is how many names a message lists, and maxCompared the maximum length
// of a name that is compared byte by byte.
const (
	shownNames  = 5
	maxCompared = 64
)

// nearestNames lists names for a message about an unknown name: all of them, or if
// there are many, the few with the most similar spelling.
func nearestNames(name string, names []string) string {
	if len(names) <= shownNames {
		return strings.Join(names, ", ")
	}
	type candidate struct {
		name  string
		edits int
	}
	near := make([]candidate, 0, shownNames+1)
	for _, n := range names {
		c := candidate{n, edits(name, n)}
		at, _ := slices.BinarySearchFunc(near, c, func(a, b candidate) int {
			// At equal distance the later name goes last.
			return cmp.Or(cmp.Compare(a.edits, b.edits), -1)
		})
		if at < shownNames {
			near = slices.Insert(near, at, c)[:min(len(near)+1, shownNames)]
		}
	}
	var b strings.Builder
	for _, c := range near {
		b.WriteString(c.name + ", ")
	}
	return fmt.Sprintf("%sand %d more", b.String(), len(names)-len(near))
}

// edits returns the Levenshtein distance of a and b in bytes; for a long name it
// returns the length of the longer one.
func edits(a, b string) int {
	if len(a) > maxCompared || len(b) > maxCompared {
		return max(len(a), len(b))
	}
	var row [maxCompared + 1]int
	for j := range len(b) + 1 {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
