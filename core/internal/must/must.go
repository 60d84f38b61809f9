// Package must ends a test that cannot be set up.
package must

import "testing"

// Have returns v, or ends the test with err: must.Have(f())(t).
func Have[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
