package pattern_test

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// TestGlobsWithoutEnd: a glob pattern with alternatives that take forever to match is
// refused, and one with many is not.
func TestGlobsWithoutEnd(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("a,", 999) + "a"
	for text, refused := range map[string]bool{
		strings.Repeat("{,}", 9): false, strings.Repeat("{,}", 10): true, strings.Repeat("{,}", 20_000): true,
		"/{" + many + "}": false, "/{" + many + ",a}": true, "/{" + many + "}{a}": false,
		"/{a,{b,{c,d}}}/{e,f}": false, strings.Repeat("{a,", 500) + "b" + strings.Repeat("}", 500): false,
		strings.Repeat(`\{,\}`, 100): false, strings.Repeat(`{\,}`, 100): false, strings.Repeat("{a}", 100): false, strings.Repeat(",", 5000): false,
		strings.Repeat("[{,}]", 9): false, strings.Repeat("}", 100): false,
	} {
		err := pattern.Check("globMatch", text)
		if got := err != nil && strings.Contains(err.Error(), "ways"); got != refused {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
