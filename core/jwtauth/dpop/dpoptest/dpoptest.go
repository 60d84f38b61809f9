// Package dpoptest is the part of the conformance suite for tokens that are
// bound to a key (RFC 9449). [Run] drives an adapter over real sockets with
// dpop, bearer and jwtauth behind its gates and real proofs in the requests.
package dpoptest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
// What no adapter sees, such as each member of a proof, is proved by this package's
// own tests.
func Run(t *testing.T, f authtest.Framework) {
	run(t, f, schemeCases, proofCases, nonceCases)
}

func run(t *testing.T, f authtest.Framework, tables ...[]testCase) {
	for _, cases := range tables {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.run(t, f)
			})
		}
	}
}

// testCase is one case. Its name begins with the items of the conformance list
// that it proves.
type testCase struct {
	name string
	run  func(*testing.T, authtest.Framework)
}
