package casbinrules

import (
	"fmt"
	"strings"
	"testing"
)

// TestAKeptPlaceKeepsNoOtherPlaces: observers may keep a decision of every
// policy that was ever in force.
func TestAKeptPlaceKeepsNoOtherPlaces(t *testing.T) {
	var policy strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&policy, "p, ann, /%d, GET\n", n)
	}
	for _, text := range open(t, RBAC(), policy.String()).current.Load().Index.Places.Texts {
		if len(text) > 1<<10 {
			t.Fatalf("a place is part of a text of %d bytes", len(text))
		}
	}
}
