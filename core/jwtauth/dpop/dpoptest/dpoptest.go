// Package dpoptest is the part of the conformance suite for tokens that are
// bound to a key (RFC 9449). [Run] drives an adapter over real sockets with
// dpop, bearer and jwtauth behind its gates and real proofs in the requests.
package dpoptest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
func Run(t *testing.T, f authtest.Framework) {
	for _, cases := range [][]testCase{schemeCases, proofCases, nonceCases} {
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
