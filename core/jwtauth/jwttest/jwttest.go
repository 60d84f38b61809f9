// Package jwttest is the part of the conformance suite that needs signed tokens.
//
// [Run] drives an adapter over real sockets with bearer and jwtauth behind its
// gates. The tests of this package prove what no adapter sees, such as algorithms,
// claims and keys; they sign with the standard library alone, so that a token's fate
// does not hang on the library that verifies it.
package jwttest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
//
// They are about what an adapter can get wrong: which bytes of a token reach the
// verifier, and what becomes of each verdict. What a server refuses by itself, such
// as a header of megabytes, needs no gate: such an answer is accepted, and named in
// the test's log.
func Run(t *testing.T, f authtest.Framework) {
	for _, c := range adapterCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, f)
		})
	}
}

// adapterCases are those that every adapter runs. Their names begin with the items
// of the conformance list or the invariants they prove.
var adapterCases = []struct {
	name string
	run  func(*testing.T, authtest.Framework)
}{
	{"invariant 3 B03 verdicts are told apart, each with its status", verdicts},
	{"E21 megabytes and a million dots", floods},
}
