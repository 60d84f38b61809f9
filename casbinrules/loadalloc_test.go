package casbinrules

import (
	"log/slog"
	"testing"
)

// TestLoadsAllocateInPieces is the budget of a load: what rules are made of is
// cut from larger pieces, so that few lines cost an allocation.
func TestLoadsAllocateInPieces(t *testing.T) {
	const rules, budget = 10_000, 8000
	for _, l := range loads {
		fsys := files("policy.csv", l.policy(rules))
		n := testing.AllocsPerRun(5, func() {
			if _, err := OpenFS(fsys, RBAC(), []string{"policy.csv"}, WithLogger(slog.New(slog.DiscardHandler))); err != nil {
				t.Fatal(err)
			}
		})
		if n > budget {
			t.Errorf("%s: %v allocations for %d rules and as many role links, want at most %d", l.name, n, rules, budget)
		}
	}
}
