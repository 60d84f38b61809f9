package authtest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// everywhere lists the items that every adapter proves by number: invariants of the two
// gates, and the parts of the conformance list that depend on how a framework shows
// requests and sends answers.
var everywhere = []string{
	"invariant 1-7", "invariant 9-10", "invariant 13-14", "invariant 16-17",
	"A01-A03", "A06-A07", "A14", "A16-A18", "A20-A22", "A24", "B02-B03", "B16", "F03", "F10", "G01-G20", "H09",
}

// promised lists the items that this package proves, on at least one adapter. E, and
// everything else that needs signed tokens, sessions and password files, is proved in those
// packages.
var promised = []string{
	"invariant 1-7", "invariant 9-10", "invariant 13-14", "invariant 16",
	"A01-A24", "B01-B12", "B14", "B16-B18", "C01-C06", "C08-C11", "D01-D19", "F01-F04", "F10-F13", "E29", "G01-G20", "H09", "H18", "H20-H21", "I01-I07", "J01-J06",
}

// TestEveryItemHasACase: the name of a case begins with the items that it proves.
func TestEveryItemHasACase(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range []struct {
		groups   []group
		promised []string
	}{
		{groups(), everywhere},
		{slices.Concat(groups(), semantics()), promised},
	} {
		proved := map[string]bool{}
		clear(seen)
		for _, g := range tt.groups {
			for _, c := range g.cases {
				if seen[g.name+c.name] {
					t.Errorf("two cases are called %s/%s", g.name, c.name)
				}
				seen[g.name+c.name] = true
				for _, item := range items(c.name) {
					proved[item] = true
				}
			}
		}
		for _, item := range items(strings.Join(tt.promised, " ")) {
			if !proved[item] {
				t.Errorf("no case proves %s", item)
			}
		}
	}
}

var itemText = regexp.MustCompile(`invariant (\d+)(?:-(\d+))?|\b([A-Z])(\d\d)(?:-[A-Z](\d\d))?\b`)

// items returns the items in a text, with ranges expanded.
func items(text string) []string {
	var out []string
	for _, m := range itemText.FindAllStringSubmatch(text, -1) {
		format, first, last := "invariant %d", m[1], m[2]
		if m[3] != "" {
			format, first, last = m[3]+"%02d", m[4], m[5]
		}
		from, _ := strconv.Atoi(first)
		to := from
		if last != "" {
			to, _ = strconv.Atoi(last)
		}
		for n := from; n <= to; n++ {
			out = append(out, fmt.Sprintf(format, n))
		}
	}
	return out
}

func TestItems(t *testing.T) {
	got := strings.Join(items("invariant 9-10 A01-A03 B14 what a G2 is"), " ")
	if want := "invariant 9 invariant 10 A01 A02 A03 B14"; got != want {
		t.Errorf("items %q, want %q", got, want)
	}
	if slices.Contains(items("invariant 1"), "invariant 10") {
		t.Error("invariant 1 stands for invariant 10")
	}
}
