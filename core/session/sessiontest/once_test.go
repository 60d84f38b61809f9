package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestSemantics are the cases about what no adapter sees.
func TestSemantics(t *testing.T) {
	run(t, authtest.NetHTTP(), cookieSemantics, fixationSemantics, lifetimeSemantics, timeCases, originCases, trustCases,
		brokenStoreCases, signInCases, formSemantics, elsewhereSemantics)
}
