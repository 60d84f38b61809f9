package casbinrules

import (
	"testing"
)

// cases returns how many cases a comparison tries: n, or a tenth of it with -short, which
// make test uses.
func cases(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}
