package jwttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// verifierCases are independent of adapters.
func verifierCases() []testCase {
	return slices.Concat(algorithmCases, keyCases, tokenFormCases, claimCases, publishedCases, profileCases, verdictCases, lifeCases)
}

func TestSemantics(t *testing.T) { run(t, authtest.NetHTTP(), verifierCases()) }

// TestEveryItemHasACase: group E of the conformance list, and the items of group B that
// concern signed tokens.
func TestEveryItemHasACase(t *testing.T) {
	proved := map[string]bool{}
	var names []string
	for _, c := range adapterCases {
		names = append(names, c.name)
	}
	for _, c := range verifierCases() {
		names = append(names, c.name)
	}
	for word := range strings.FieldsSeq(strings.Join(names, " ")) {
		proved[word] = true
	}
	promised := []string{"B10", "B12", "B13", "B14", "B15", "B16"}
	for n := 1; n <= 29; n++ {
		promised = append(promised, fmt.Sprintf("E%02d", n))
	}
	for _, item := range promised {
		if !proved[item] {
			t.Errorf("no case proves %s", item)
		}
	}
}
