package dpoptest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestProofs are the cases about what no adapter sees.
func TestProofs(t *testing.T) {
	run(t, authtest.NetHTTP(), proofContentCases, nonceTimeCases)
}
