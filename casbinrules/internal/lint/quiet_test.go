package lint

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestNothingIsSaidAboutQuietObjects compares the quick check of objects with the complete
// one.
func TestNothingIsSaidAboutQuietObjects(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 7))
	parts := []string{"/", "/", "/", "a", "b-1", "c_d", ":id", ":", "*", ".", "{x}", "%41", "?", "(", `\`, ""}
	quiet := 0
	for range 50_000 {
		var b strings.Builder
		for range rnd.IntN(7) {
			b.WriteString(policygen.Pick(rnd, parts))
		}
		for _, function := range append([]string{"", "=="}, pattern.Functions...) {
			if !isQuiet(function, b.String()) {
				continue
			}
			quiet++
			for _, paths := range []bool{true, false} {
				if told := (Comparison{Function: function}).Advise(b.String(), setting{paths: paths, method: !paths}); len(told) > 0 {
					t.Errorf("%s: %q is quiet, and there is %+v", function, b.String(), told)
				}
			}
		}
	}
	if quiet < 1000 {
		t.Errorf("%d quiet objects: the cases prove nothing", quiet)
	}
}
