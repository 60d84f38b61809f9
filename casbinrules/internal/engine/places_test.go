package engine

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// TestPlacesNameTheirRules has rules of two files alternate, as priorities may sort them,
// and more of them than one text holds.
func TestPlacesNameTheirRules(t *testing.T) {
	c := &model.Settings{Casbin: casbinv2.Casbin}
	p := policy.NewReader(model.ReadSchema("model.conf", model.Preset("rbac.conf"), c), c)
	var lines strings.Builder
	for n := range placesPerChunk + 1 {
		fmt.Fprintf(&lines, "p, ann, /x%d, GET\n%s", n, strings.Repeat("\n", n*n))
	}
	p.Read("dir/0.csv", []byte(lines.String()))
	p.Read("dir/long.csv", []byte(strings.ReplaceAll(lines.String(), "ann", "bob")))
	var rules policy.Rules
	for n := range placesPerChunk + 1 {
		rules.Add(p.Rules.At(n))
		rules.Add(p.Rules.At(n + placesPerChunk + 1))
	}
	for count := range rules.Len() + 1 {
		list := newPlaceList(rules.Slice(0, count))
		for n, r := range rules.Slice(0, count).All() {
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
	var rules policy.Rules
	for n := range 2 * placesPerChunk {
		rules.Add(policy.StandaloneRule("policy.csv", n+1, "p", "ann", "/x", "GET"))
	}
	list := newPlaceList(rules)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n, r := range rules.All() {
				if got := list.of(int32(n)); got != r.Place() {
					t.Errorf("rule %d is at %q, want %q", n, got, r.Place())
				}
			}
		})
	}
	all.Wait()
}
