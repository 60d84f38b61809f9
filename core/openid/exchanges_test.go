package openid

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// TestExchangesAreRefusedInTime: a request that waits for others longer than a provider's
// time limit gets 503, and so does a cancelled one; exchanges that end make room.
func TestExchangesAreRefusedInTime(t *testing.T) {
	t.Parallel()
	p := &Provider{providerSettings: providerSettings{timeout: time.Millisecond}, exchanges: make(chan struct{}, 1)}
	done, err := p.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ctx := range map[string]context.Context{"patient": t.Context(), "gone": gone} {
		var unavailable *core.UnavailableError
		if _, err := p.wait(ctx); !errors.As(err, &unavailable) || unavailable.RetryAfter != p.timeout {
			t.Errorf("%s: %v, want it to be unavailable", name, err)
		}
	}
	done()
	if _, err := p.wait(t.Context()); err != nil {
		t.Error(err)
	}
}
