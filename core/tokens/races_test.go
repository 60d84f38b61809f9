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

// TestServersAgree: two servers that exchange a token at the same time, each in any
// state of the other's exchange, give the same successor.
func TestServersAgree(t *testing.T) {
	for held := 1; held <= 7; held++ { // the question or write before which one server waits
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

// TestLateWrites: a server that was stopped in the middle of an exchange, and goes on
// when the client has long gone on, logs nobody out and makes no old token good.
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
			t.Fatalf("an exchange has %d questions and writes", n)
		}
		last = gets(t, other, last.Refresh) // nobody is logged out
		b.refuses(other, second.Refresh, tokens.ReasonReused)
		b.refuses(other, last.Refresh, tokens.ReasonUnknown)
	}
}

// TestLogoutDuringRefresh: whichever comes first, the family is over.
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

// TestInterruptedExchange: of an exchange that the store ended with an error nobody
// has an answer, so the token is good for another one however late.
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

// TestReuseIsFoundByOneOfMany: of a hundred that present an old token at once none
// gets tokens.
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
		t.Error("no event tells of the reuse")
	}
}

// TestGraceEnds to the millisecond.
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
