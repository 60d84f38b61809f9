package tokens_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/tokens"
)

// TestServersAgree: two servers that exchange a token concurrently, in any interleaving,
// give the same successor.
func TestServersAgree(t *testing.T) {
	for held := 1; held <= 7; held++ { // the read or write before which one server waits
		b := newBench(t)
		other := b.newManager()
		p := login(t, b.manager)
		var mine pair
		n := 0
		b.store.Before(func(context.Context, string) {
			if n++; n == held {
				b.store.Before(nil)
				mine = refresh(t, other, p.Refresh)
			}
		})
		yours := refresh(t, b.manager, p.Refresh)
		b.store.Before(nil)
		if n < held {
			continue // there are fewer
		}
		if mine.Status != http.StatusOK || yours.Status != http.StatusOK || mine.Refresh != yours.Refresh {
			t.Errorf("held at %d: %d and %d, the same successor: %v", held, mine.Status, yours.Status, mine.Refresh == yours.Refresh)
		}
		b.clock.Advance(time.Minute)
		gets(t, other, mine.Refresh)
	}
}

// TestLateWrites: a server that was suspended during an exchange, and resumes when the
// client has long moved on, logs no one out and makes no old token valid.
func TestLateWrites(t *testing.T) {
	for held := 5; held <= 6; held++ { // its two writes
		b := newBench(t)
		other := b.newManager()
		p := login(t, b.manager)
		first := p.Refresh
		var second, last pair
		n := 0
		b.store.Before(func(context.Context, string) {
			if n++; n != held {
				return
			}
			b.store.Before(nil)
			second = gets(t, other, first)
			last = second
			for range 3 {
				b.clock.Advance(time.Minute)
				last = gets(t, other, last.Refresh)
			}
		})
		refresh(t, b.manager, first)
		b.store.Before(nil)
		if n < held {
			t.Fatalf("an exchange has %d reads and writes", n)
		}
		last = gets(t, other, last.Refresh) // no one is logged out
		b.refuses(other, second.Refresh, tokens.ReasonReused)
		b.refuses(other, last.Refresh, tokens.ReasonUnknown)
	}
}

// TestLogoutDuringRefresh: whichever comes first, the family has ended.
func TestLogoutDuringRefresh(t *testing.T) {
	for held := 1; held <= 6; held++ {
		b := newBench(t)
		other := b.newManager()
		p := login(t, b.manager)
		n := 0
		b.store.Before(func(context.Context, string) {
			if n++; n == held {
				b.store.Before(nil)
				if got := call(t, other.LogoutEndpoint(), "refresh_token", p.Refresh); got.Status != http.StatusNoContent {
					t.Errorf("logout: %d", got.Status)
				}
			}
		})
		next := refresh(t, b.manager, p.Refresh)
		b.store.Before(nil)
		b.refuses(other, p.Refresh, tokens.ReasonUnknown)
		if next.Status == http.StatusOK {
			b.refuses(other, next.Refresh, tokens.ReasonUnknown)
		}
	}
}

// TestInterruptedExchange: if the store ended an exchange with an error no one got an
// answer, so the token can be exchanged again at any later time.
func TestInterruptedExchange(t *testing.T) {
	down := errors.New("down")
	for held := 1; held <= 5; held++ {
		b := newBench(t)
		p := login(t, b.manager)
		n := 0
		b.store.Before(func(context.Context, string) {
			if n++; n == held { // the next one fails
				b.store.Fail(down)
			}
		})
		if got := refresh(t, b.manager, p.Refresh); got.Status != http.StatusServiceUnavailable {
			t.Errorf("held at %d: %d", held, got.Status)
		}
		b.store.Before(nil)
		b.store.Fail(nil)
		b.clock.Advance(10 * time.Minute)
		next := gets(t, b.manager, p.Refresh)
		b.clock.Advance(tokens.Grace + time.Second)
		gets(t, b.manager, next.Refresh)
		b.refuses(b.manager, p.Refresh, tokens.ReasonReused)
	}
}

// TestReuseIsFoundByOneOfMany: of a hundred concurrent uses of an old token none gets
// tokens.
func TestReuseIsFoundByOneOfMany(t *testing.T) {
	b := newBench(t)
	p := login(t, b.manager)
	next := gets(t, b.manager, p.Refresh)
	b.clock.Advance(tokens.Grace + time.Millisecond)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if got := refresh(t, b.manager, p.Refresh); got.Status != http.StatusUnauthorized {
				t.Errorf("%d", got.Status)
			}
		})
	}
	wg.Wait()
	b.refuses(b.manager, next.Refresh, tokens.ReasonUnknown)
	reused := 0
	for _, e := range b.events.Events() {
		if e.Reason == tokens.ReasonReused {
			reused++
		}
	}
	if reused == 0 {
		t.Error("no event reports the reuse")
	}
}

// TestGraceEnds checks the limit to the millisecond.
func TestGraceEnds(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		ok    bool
	}{{0, true}, {tokens.Grace, true}, {tokens.Grace + time.Millisecond, false}} {
		b := newBench(t)
		p := login(t, b.manager)
		next := gets(t, b.manager, p.Refresh)
		b.clock.Advance(tt.after)
		if tt.ok {
			if again := gets(t, b.manager, p.Refresh); again.Refresh != next.Refresh {
				t.Errorf("after %v: another successor", tt.after)
			}
			continue
		}
		b.refuses(b.manager, p.Refresh, tokens.ReasonReused)
	}
}
