// Package jwttest is the part of the conformance suite that needs signed
// tokens: package authtest depends on nothing, and so has none.
//
// [Run] drives an adapter over real sockets with bearer and jwtauth behind its
// gates. It makes its own keys and signs with the standard library alone, so
// that a token's fate does not hang on the library that verifies it.
package jwttest

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
//
// They are about what an adapter can get wrong: which bytes of a token reach the
// verifier, what becomes of each verdict, and what is kept of a request. What no
// adapter sees, such as algorithms, claims and keys, is proved by this package's own
// tests.
//
// What a server refuses by itself, such as a header of megabytes, needs no
// gate: such an answer is accepted, and named in the test's log.
func Run(t *testing.T, f authtest.Framework) { run(t, f, adapterCases()) }

func run(t *testing.T, f authtest.Framework, cases []testCase) {
	b := bench{framework: f, keys: newKeys(t)}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, b)
		})
	}
}

// adapterCases are those that every adapter runs, in their order.
func adapterCases() []testCase { return slices.Concat(formCases, verdictCases) }

// testCase is one case. Its name begins with the items of the conformance list
// or the invariants it proves.
type testCase struct {
	name string
	run  func(*testing.T, bench)
}

// bench is what every case works with.
type bench struct {
	framework authtest.Framework
	keys      *keys
}
