package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// testCase is one case that no adapter sees. Its name begins with the items of the
// conformance list or the invariants it proves.
type testCase struct {
	name string
	run  func(*testing.T, authtest.Framework)
}

// TestSemantics are these cases, which are independent.
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
