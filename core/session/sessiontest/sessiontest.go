// Package sessiontest is the part of the conformance suite that is about
// sessions.
//
// [Run] drives an adapter over real sockets through everything package session
// promises, with a clock and a store that tests control.
package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Run runs every case against f. Cases are independent and run in parallel.
// What no adapter sees, such as how long sessions last, what a store does and who
// may sign in from where, is proved by this package's own tests.
func Run(t *testing.T, f authtest.Framework) {
	run(t, f, cookieCases, fixationCases, lifetimeCases, outageCases, formCases, elsewhereCases)
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
// or the invariants it proves.
type testCase struct {
	name string
	run  func(*testing.T, authtest.Framework)
}
