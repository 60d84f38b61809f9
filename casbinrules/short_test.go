package casbinrules

import (
	"testing"
)

// cases is how many cases a comparison tries: all of n, and a tenth with
// -short, as make test gives it.
func cases(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}
