package sessiontest

import (
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestLifetimesAndStores are the cases about what no adapter sees.
func TestLifetimesAndStores(t *testing.T) {
	run(t, authtest.NetHTTP(), timeCases, brokenStoreCases, trustCases)
}
