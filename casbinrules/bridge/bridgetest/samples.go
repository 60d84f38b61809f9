package bridgetest

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
)

// Sample is a random policy with a principal and a request.
type Sample struct {
	Name, Model string
	Lines       []string
	Options     []casbinrules.Option
	Principal   *core.Principal
	Action      string
}

// Samples returns each policies of every family of models in the differential tests,
// the same for one seed. It panics if it cannot create one.
func Samples(seed uint64, each int) iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		for n, f := range policygen.AllFamilies() {
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			for range each {
				p, err := f.Principal(rnd)
				if err != nil {
					panic(fmt.Sprintf("bridgetest: %s: %v", f.Name, err))
				}
				if !yield(Sample{f.Name, f.Text, f.Policy(rnd), Options(f), p, policygen.Pick(rnd, policygen.PlainActions)}) {
					return
				}
			}
		}
	}
}

// Objects returns the objects in the rules of samples, and some others.
func Objects() []string { return slices.Clone(policygen.AskedObjects) }
