package casbinrules

import (
	"fmt"
	"strings"
	"testing"
)

// TestPlacesNameTheirRules has rules of two files in turn, as priorities may
// sort them, and more than one text holds.
func TestPlacesNameTheirRules(t *testing.T) {
	var rules []*rule
	for n := range 2*placesInText + 1 {
		r := oneRule("dir/0.csv", n*n+1, "p", "ann", "/x", "GET")
		r.texts.files = append(r.texts.files, "dir/long.csv")
		r.source = int32(n % 2)
		rules = append(rules, r)
	}
	for count := range len(rules) + 1 {
		list := places(rules[:count])
		for n, r := range rules[:count] {
			if got := list.of(int32(n)); got != r.place() {
				t.Fatalf("rule %d of %d is at %q, want %q", n, count, got, r.place())
			}
		}
	}
}

// TestAKeptPlaceKeepsNoOtherPlaces: observers may keep a decision of every
// policy that was ever in force.
func TestAKeptPlaceKeepsNoOtherPlaces(t *testing.T) {
	var policy strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&policy, "p, ann, /%d, GET\n", n)
	}
	for _, text := range open(t, RBAC(), policy.String()).current.Load().index.places.texts {
		if len(text) > 1<<10 {
			t.Fatalf("a place is part of a text of %d bytes", len(text))
		}
	}
}
