// Package jwttest is the part of the conformance suite that needs signed tokens.
//
// [Run] tests an adapter over real sockets with bearer and jwtauth behind its gates. The
// tests of this package cover what is independent of adapters, such as algorithms, claims
// and keys. They sign with the standard library only, so that the library under test does
// not check itself.
package jwttest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
//
// They cover what an adapter can get wrong: which bytes of a token reach the verifier, and
// what becomes of each verdict. A server may refuse some requests by itself, such as a
// header of megabytes: such an answer is accepted, and noted in the test's log.
func Run(t *testing.T, f authtest.Framework) {
	for _, c := range adapterCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, f)
		})
	}
}

// adapterCases are the cases for every adapter. Their names begin with the conformance
// items or the invariants that they prove.
var adapterCases = []struct {
	name string
	run  func(*testing.T, authtest.Framework)
}{
	{"invariant 3 B03 verdicts are told apart, each with its status", verdicts},
	{"E21 megabytes and a million dots", floods},
}
