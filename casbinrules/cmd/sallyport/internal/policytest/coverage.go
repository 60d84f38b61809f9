package policytest

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// Coverage says which lines of a policy the tests depend on.
type Coverage struct {
	// Covered is the number of lines, out of Lines, that the tests depend on: p lines that
	// decide a test, and role links that lead to one.
	Covered    int                    `json:"covered"`
	Lines      int                    `json:"lines"`
	Percent    float64                `json:"percent"`
	NotCovered []casbinrules.RuleText `json:"not_covered"`
}

// NewCoverage determines for each test which lines decide it. Failed tests cover nothing.
func NewCoverage(ctx context.Context, a *ask.Policy, results []Result) (*Coverage, error) {
	covered := map[string]bool{}
	for _, r := range results {
		if !r.Passed() {
			continue
		}
		e, err := ask.Explain(ctx, a, r.Asked)
		if err != nil {
			return nil, fmt.Errorf("%s: explain: %w", r.Test.Place(), err)
		}
		if e.Rule == nil {
			continue
		}
		covered[e.Rule.Place()] = true
		for _, chain := range [][]casbinrules.ChainLink{e.Chain, e.ObjectChain, e.ActionChain} {
			for _, link := range chain {
				if link.Rule != nil {
					covered[link.Rule.Place()] = true
				}
			}
		}
	}
	c := &Coverage{NotCovered: []casbinrules.RuleText{}}
	for _, r := range a.Rules() {
		if r.Kind != "p" && r.Links == "" {
			continue // such a line never affects a decision
		}
		c.Lines++
		if covered[r.Place()] {
			c.Covered++
		} else {
			c.NotCovered = append(c.NotCovered, r.RuleText)
		}
	}
	c.Percent = 100
	if c.Lines > 0 {
		c.Percent = 100 * float64(c.Covered) / float64(c.Lines)
	}
	return c, nil
}
