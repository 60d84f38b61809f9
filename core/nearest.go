package core

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/spelling"
)

// shownNames is how many names a message lists.
const shownNames = 5

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
		c := candidate{n, spelling.Distance(name, n)}
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
