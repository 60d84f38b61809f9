package scenario

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// again is how long after a 503 a server is asked once more.
const again = 50 * time.Millisecond

// publishKeys brings the key server up and waits until every server that has
// answered 503 for want of keys has noticed by itself.
func publishKeys(ctx context.Context, w *World, servers []Server) error {
	w.keys.down.Store(false)
	client := newClient()
	tick := time.NewTicker(again)
	defer tick.Stop()
	for _, server := range servers {
		for w.ask(ctx, client, server, Scenario{Method: "GET", Target: "/me", As: "victor"}).unavailable() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

func (a Answer) unavailable() bool { return strings.HasPrefix(a.Verdict, "503") }

// guesses is how often a limiter lets guesses at one account fail.
const guesses = 20

// guess sends wrong secrets of one API key.
func guess(ctx context.Context, w *World, servers []Server) error {
	client := newClient()
	var wg sync.WaitGroup
	for _, server := range servers {
		wg.Go(func() {
			for range guesses {
				_ = w.ask(ctx, client, server, Scenario{Method: http.MethodGet, Target: "/me", As: "guess at a key"})
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

func stopIssuer(_ context.Context, w *World, _ []Server) error {
	w.keys.down.Store(true)
	w.introspect.down.Store(true)
	return nil
}

func stopAccounts(_ context.Context, w *World, _ []Server) error {
	w.accounts.down.Store(true)
	return nil
}
