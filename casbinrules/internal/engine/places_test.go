package engine

import (
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// TestPlacesNameTheirRules has rules of two files alternate, as priorities may sort them,
// and more of them than one text holds.
func TestPlacesNameTheirRules(t *testing.T) {
	var rules []*policy.Rule
	for n := range 2*placesPerChunk + 1 {
		r := policy.StandaloneRule("dir/0.csv", n*n+1, "p", "ann", "/x", "GET")
		r.Texts.Files = append(r.Texts.Files, "dir/long.csv")
		r.Source = int32(n % 2)
		rules = append(rules, r)
	}
	for count := range len(rules) + 1 {
		list := newPlaceList(rules[:count])
		for n, r := range rules[:count] {
			if got := list.of(int32(n)); got != r.Place() {
				t.Fatalf("rule %d of %d is at %q, want %q", n, count, got, r.Place())
			}
			if text := list.chunks[n/placesPerChunk].text; len(text) > 1<<10 { // observers may keep a decision of every policy
				t.Fatalf("a place is part of a text of %d bytes", len(text))
			}
		}
	}
}

// TestPlacesAreMadeOnce has concurrent decisions name the same rules.
func TestPlacesAreMadeOnce(t *testing.T) {
	var rules []*policy.Rule
	for n := range 2 * placesPerChunk {
		rules = append(rules, policy.StandaloneRule("policy.csv", n+1, "p", "ann", "/x", "GET"))
	}
	list := newPlaceList(rules)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n, r := range rules {
				if got := list.of(int32(n)); got != r.Place() {
					t.Errorf("rule %d is at %q, want %q", n, got, r.Place())
				}
			}
		})
	}
	all.Wait()
}
