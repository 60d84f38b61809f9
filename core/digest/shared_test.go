package digest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// countsOfAll is a store in memory that can be unavailable.
type countsOfAll struct {
	mu   sync.Mutex
	used map[string]bool
	ttl  time.Duration
	err  error
}

// Use implements [CountStore].
func (c *countsOfAll) Use(_ context.Context, nonce [32]byte, count uint32, ttl time.Duration) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false, c.err
	}
	key := string(nonce[:]) + string(rune(count))
	if c.used == nil {
		c.used = map[string]bool{}
	}
	fresh := !c.used[key]
	c.used[key], c.ttl = true, ttl
	return fresh, nil
}

// TestSharedCounts: a response accepted by one instance is a replay at the others.
func TestSharedCounts(t *testing.T) {
	store, c, counts := storeOf(t, false, "bob"), newClock(), &countsOfAll{}
	opts := []Option{WithClock(c.now), WithNonceKey(bytes.Repeat([]byte("k"), 32)), WithCounts(counts)}
	one, other := mustNew(t, store, opts...), mustNew(t, store, opts...)
	fallback := mustNew(t, store, append(opts, WithCountFallback(nil))...)
	c.advance(time.Second)
	from := answers(t, one, SHA256)
	sent := func(nc string) string {
		return from.with("nc", nc).sign(t, SHA256, "bob", secret, "GET").String()
	}
	wants := func(a *Authenticator, nc string, want core.Reason) {
		t.Helper()
		p, err := a.Authenticate(t.Context(), get(sent(nc)))
		if want == "" {
			if err != nil || p.ID() != "bob" {
				t.Errorf("nc %s: %v, %v", nc, p, err)
			}
			return
		}
		if got := reason(t, err); got != want {
			t.Errorf("nc %s: %s, want %s", nc, got, want)
		}
	}
	wants(one, "00000001", "")
	if counts.ttl < 2*defaultLifetime-time.Second || counts.ttl > 2*defaultLifetime+time.Second {
		t.Errorf("kept for %v", counts.ttl)
	}
	wants(other, "00000001", core.ReasonReplayed)
	wants(fallback, "00000001", core.ReasonReplayed)
	wants(other, "00000002", "")
	wants(one, "00000002", core.ReasonReplayed)
	counts.err = errors.New("down")
	var unavailable *core.UnavailableError
	if _, err := one.Authenticate(t.Context(), get(sent("00000003"))); !errors.As(err, &unavailable) {
		t.Errorf("without the store: %v", err)
	}
	wants(fallback, "00000004", "")
	wants(fallback, "00000004", core.ReasonReplayed)
	for want, opts := range map[string][]Option{
		"requires WithNonceKey": {WithCounts(counts)}, "requires WithCounts": {WithCountFallback(nil)}, "count store is nil": {WithCounts((*countsOfAll)(nil))},
	} {
		if _, err := New(realm, store, opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
