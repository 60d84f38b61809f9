package jwttest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// testCase is a case independent of adapters. Its name begins with the items of the
// conformance list or the invariants that it proves.
type testCase struct {
	name string
	run  func(*testing.T, bench)
}

// bench is the environment of a case.
type bench struct {
	framework authtest.Framework
	keys      *keys
}

// run runs independent cases in parallel.
func run(t *testing.T, f authtest.Framework, cases []testCase) {
	b := bench{framework: f, keys: newKeys(t)}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, b)
		})
	}
}
