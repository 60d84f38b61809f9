package jwtauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// fetching starts a source on p and waits for its first fetch.
func fetching(t *testing.T, p *published, opts ...jwtauth.RemoteOption) *jwtauth.RemoteKeys {
	t.Helper()
	r, err := jwtauth.Fetch(keysURL, append([]jwtauth.RemoteOption{jwtauth.WithTransport(p)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	synctest.Wait()
	return r
}

// has is a source's answer about a key: "yes", "no" (401) or "unavailable" (503).
func has(t testing.TB, r *jwtauth.RemoteKeys, kid string) string {
	t.Helper()
	keys, err := r.Keys(context.Background(), kid)
	var down *core.UnavailableError
	switch {
	case errors.As(err, &down):
		return "unavailable"
	case err != nil:
		t.Errorf("kid %q: %v", kid, err)
		return err.Error()
	case len(keys) == 0:
		return "no"
	}
	return "yes"
}

func wantKey(t testing.TB, r *jwtauth.RemoteKeys, kid, want string) {
	t.Helper()
	if got := has(t, r, kid); got != want {
		t.Errorf("kid %q: %s, want %s", kid, got, want)
	}
}

// inBubble is synctest.Test: hours pass at once.
func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// E08: a flood causes only a few fetches, and no request waits until the next is allowed.
func TestUnknownKeysAreFetchedWithinABudget(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		before := p.asked.Load()
		start := time.Now()
		for i := range 5 {
			wantKey(t, r, fmt.Sprint("made up ", i), "no")
		}
		for i := range 10_000 {
			wantKey(t, r, fmt.Sprint("flood ", i), "unavailable")
			if i%1000 == 0 {
				wantKey(t, r, "made up 0", "no") // the known key still works
			}
		}
		if n := p.asked.Load() - before; n != 5 {
			t.Errorf("%d fetches, want 5", n)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("the flood waited %v", d)
		}
		_, err := r.Keys(context.Background(), "one more")
		var wait *core.UnavailableError
		if !errors.As(err, &wait) || wait.Reason != core.ReasonUnknownKey || wait.RetryAfter != 7*time.Second {
			t.Errorf("error %#v", err)
		}
		time.Sleep(6*time.Second - time.Nanosecond)
		if n := p.asked.Load() - before; n != 5 {
			t.Errorf("%d fetches before the budget allowed one, want 5", n)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if n := p.asked.Load() - before; n != 6 { // without another request
			t.Errorf("%d fetches when the budget allowed one, want 6", n)
		}
		for i := range 100 {
			wantKey(t, r, fmt.Sprint("flood ", 9_999-i), "no")
		}
		wantKey(t, r, "one more", "no")
		if n := p.asked.Load() - before; n != 6 {
			t.Errorf("%d fetches, want 6", n)
		}
		for i := range 60_000 { // ten minutes
			time.Sleep(10 * time.Millisecond)
			_ = has(t, r, fmt.Sprint("on and on ", i))
		}
		if n := p.asked.Load() - before; n > 6+100+2 { // one in 6 s, and the regular ones
			t.Errorf("%d fetches in ten minutes of flood", n)
		}
	})
}

// The bound in WithRefetchInterval: requests with made-up keys cannot delay a new key
// longer, and the answer about it is never 401.
func TestNewKeyInAFlood(t *testing.T) {
	for _, fetch := range []time.Duration{0, 100 * time.Millisecond, 3 * time.Second} {
		inBubble(t, func(t *testing.T) {
			p := new(published)
			var document atomic.Value
			document.Store(setOf(edKey("a")))
			p.will(func(*http.Request) (*http.Response, error) {
				now := document.Load().(string) // as it is when the fetch begins
				time.Sleep(fetch)
				return response(200, now), nil
			})
			r := fetching(t, p)
			time.Sleep(fetch)
			synctest.Wait()
			ctx, stop := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					all.Go(func() { _ = has(t, r, fmt.Sprint("made up ", i)) })
					time.Sleep(5 * time.Millisecond)
				}
			})
			for round := range 20 {
				time.Sleep(time.Duration(round) * 337 * time.Millisecond)
				kid := fmt.Sprint("new ", round)
				document.Store(setOf(edKey("a"), edKey(kid)))
				start := time.Now()
				for {
					keys, err := r.Keys(context.Background(), kid)
					var wait *core.UnavailableError
					if errors.As(err, &wait) {
						time.Sleep(wait.RetryAfter)
						continue
					}
					if len(keys) != 1 {
						t.Errorf("fetch of %v, round %d: the new key does not exist: %v", fetch, round, err)
					}
					break
				}
				if d := time.Since(start); d > 6*time.Second+2*fetch+2*time.Second { // Retry-After is rounded up
					t.Errorf("fetch of %v, round %d: usable after %v", fetch, round, d)
				}
			}
			stop()
			all.Wait()
		})
	}
}

// A missing key may still come: its tokens cause further fetches, at growing intervals,
// and other tokens are not delayed.
func TestMissingKeyIsLookedForEverLessOften(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")), "Cache-Control", "max-age=3600")
		r := fetching(t, p)
		wantKey(t, r, "late", "no")
		before, start := p.asked.Load(), time.Now()
		var at []time.Duration
		for time.Since(start) < 10*time.Minute {
			wantKey(t, r, "late", "no")
			if n := p.asked.Load(); n != before {
				before = n
				at = append(at, time.Since(start).Round(time.Second))
			}
			time.Sleep(time.Second)
		}
		if got := fmt.Sprint(at); got != "[30s 1m30s 3m30s 7m30s]" {
			t.Errorf("fetches at %s", got)
		}
		p.serves(setOf(edKey("a"), edKey("late")))
		time.Sleep(6 * time.Minute)
		wantKey(t, r, "late", "yes")
	})
}

// E08: a fetch that began before a key was requested does not prove its absence.
func TestFetchUnderWayProvesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		var document atomic.Value
		document.Store(setOf(edKey("a")))
		p.will(func(*http.Request) (*http.Response, error) {
			now := document.Load().(string)
			time.Sleep(2 * time.Second)
			return response(200, now), nil
		})
		var all sync.WaitGroup
		all.Go(func() { wantKey(t, r, "b", "no") })
		time.Sleep(time.Second)
		document.Store(setOf(edKey("a"), edKey("c"))) // too late for the first fetch
		start := time.Now()
		all.Go(func() { wantKey(t, r, "d", "no") })
		wantKey(t, r, "c", "yes")
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited %v", d)
		}
		all.Wait()
	})
}

// Retry-After bounds the fetches for unknown keys.
func TestUnknownKeysHeedRetryAfter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		p.will(answers(429, "", "Retry-After", "30"))
		wantKey(t, r, "b", "unavailable")
		before := p.asked.Load()
		for range 20 {
			time.Sleep(time.Second)
			wantKey(t, r, "b", "unavailable")
		}
		if n := p.asked.Load() - before; n != 0 {
			t.Errorf("%d fetches within the Retry-After", n)
		}
	})
}

// E08: requests that come during a fetch share its result.
func TestRequestsShareTheFetchUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		p.will(func(*http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return response(200, setOf(edKey("a"), edKey("b"))), nil
		})
		before := p.asked.Load()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { wantKey(t, r, "b", "yes") })
			all.Go(func() { wantKey(t, r, "c", "no") })
		}
		synctest.Wait()
		start := time.Now()
		wantKey(t, r, "a", "yes")
		if time.Since(start) != 0 {
			t.Error("a known key waited for the fetch")
		}
		all.Wait()
		if n := p.asked.Load() - before; n > 2 { // c may have come after the first had begun
			t.Errorf("%d fetches, want 2 at most", n)
		}
	})
}

// E09: a new set replaces the old one; they are not merged.
func TestRotation(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("old"), edKey("both")), "Cache-Control", "public, max-age=600")
		r := fetching(t, p)
		wantKey(t, r, "old", "yes")
		p.serves(setOf(edKey("both"), edKey("new")))
		wantKey(t, r, "new", "yes") // by a fetch on its behalf
		wantKey(t, r, "old", "no")
		wantKey(t, r, "both", "yes")
		before := p.asked.Load()
		wantKey(t, r, "old", "no") // known to be removed: no fetch
		if p.asked.Load() != before {
			t.Error("a removed key was fetched")
		}

		p.serves(setOf(edKey("third")))
		time.Sleep(15 * time.Minute) // without a request
		wantKey(t, r, "new", "no")
		wantKey(t, r, "third", "yes")
	})
}

func TestCloseEndsFetching(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		p.stalls()
		waiting := make(chan string)
		go func() { waiting <- has(t, r, "b") }()
		synctest.Wait()
		r.Close()
		r.Close()
		if got := <-waiting; got != "unavailable" {
			t.Errorf("the waiting request got %q", got)
		}
		before := p.asked.Load()
		time.Sleep(3 * time.Hour)
		wantKey(t, r, "a", "yes")
		wantKey(t, r, "c", "unavailable")
		if p.asked.Load() != before {
			t.Error("fetched after Close")
		}
		if err := r.Ready(context.Background()); err != nil {
			t.Error(err)
		}
	}) // synctest fails the test when a goroutine is left
}

func TestReadyGivesUp(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("error %v", err)
		}
		r.Close()
		if err := r.Ready(context.Background()); err == nil {
			t.Error("ready without keys")
		}
	})
}
