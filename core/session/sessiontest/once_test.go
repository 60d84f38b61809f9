package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// testCase is a case independent of adapters. Its name begins with the items of the
// conformance list or the invariants that it proves.
type testCase struct {
	name string
	run  func(*testing.T, authtest.Framework)
}

// TestSemantics runs these independent cases.
func TestSemantics(t *testing.T) {
	for _, cases := range [][]testCase{
		cookieCases, fixationCases, lifetimeCases, originCases, outageCases, signInCases, formCases, elsewhereCases,
	} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, authtest.NetHTTP())
			})
		}
	}
}
