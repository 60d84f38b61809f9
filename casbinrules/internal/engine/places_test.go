package engine

import (
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// TestPlacesNameTheirRules has rules of two files in turn, as priorities may
// sort them, and more than one text holds.
func TestPlacesNameTheirRules(t *testing.T) {
	var rules []*policy.Rule
	for n := range 2*placesInText + 1 {
		r := policy.OneRule("dir/0.csv", n*n+1, "p", "ann", "/x", "GET")
		r.Texts.Files = append(r.Texts.Files, "dir/long.csv")
		r.Source = int32(n % 2)
		rules = append(rules, r)
	}
	for count := range len(rules) + 1 {
		list := places(rules[:count])
		for n, r := range rules[:count] {
			if got := list.of(int32(n)); got != r.Place() {
				t.Fatalf("rule %d of %d is at %q, want %q", n, count, got, r.Place())
			}
			if text := list.texts[n/placesInText].Load().text; len(text) > 1<<10 { // observers may keep a decision of every policy
				t.Fatalf("a place is part of a text of %d bytes", len(text))
			}
		}
	}
}
