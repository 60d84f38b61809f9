package dpoptest

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// testCase is a case independent of adapters. Its name begins with the items of the
// conformance list that it proves.
type testCase struct {
	name string
	run  func(*testing.T, authtest.Framework)
}

// TestSemantics runs these independent cases.
func TestSemantics(t *testing.T) {
	for _, c := range slices.Concat(schemeCases, proofCases, nonceCases) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, authtest.NetHTTP())
		})
	}
}
