package jwtauth_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// E10: known keys serve through an outage up to the limit, then the answer is 503 until
// the issuer recovers.
func TestOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.WithMaxStale(3*time.Hour))
		p.fails()
		wantKey(t, r, "b", "unavailable") // it may be a new key
		wantKey(t, r, "b", "unavailable")
		time.Sleep(3 * time.Hour)
		wantKey(t, r, "a", "yes")
		time.Sleep(time.Nanosecond)
		wantKey(t, r, "a", "unavailable")
		wantKey(t, r, "", "unavailable")
		p.serves(setOf(edKey("a")))
		time.Sleep(time.Minute)
		wantKey(t, r, "a", "yes")
		wantKey(t, r, "b", "no")
	})
}

// E10: without a first load the answer is 503 with Retry-After, never 401.
func TestColdStart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p)
		_, err := r.Keys(context.Background(), "a")
		var down *core.UnavailableError
		if !errors.As(err, &down) || down.RetryAfter < time.Second || down.RetryAfter > time.Minute {
			t.Errorf("error %#v", err)
		}
		before := p.asked.Load()
		for range 1000 {
			wantKey(t, r, "a", "unavailable")
		}
		if n := p.asked.Load(); n != before {
			t.Errorf("%d fetches for requests that could not be served", n-before)
		}
		time.Sleep(10 * time.Minute)
		if n := p.asked.Load() - before; n < 10 || n > 25 {
			t.Errorf("%d retries in 10 minutes", n)
		}
		p.serves(setOf(edKey("a")))
		if err := r.Ready(context.Background()); err != nil {
			t.Error(err)
		}
		wantKey(t, r, "a", "yes")
	})
}

// While there are no keys, requests get one within 5 s of the issuer's recovery, however
// long the outage; a Retry-After of the issuer is respected.
func TestColdStartWhileAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p)
		for range 240 {
			time.Sleep(500 * time.Millisecond)
			_, err := r.Keys(context.Background(), "a")
			var down *core.UnavailableError
			if !errors.As(err, &down) || down.RetryAfter < time.Second || down.RetryAfter > 5*time.Second {
				t.Fatalf("error %#v", err)
			}
		}
		if n := p.asked.Load(); n < 2*60/6 || n > 2*60*2/5+4 {
			t.Errorf("%d fetches in two minutes", n)
		}
		p.will(answers(503, "", "Retry-After", "50"))
		for range 10 {
			wantKey(t, r, "a", "unavailable")
			time.Sleep(500 * time.Millisecond)
		}
		p.serves(setOf(edKey("a")))
		before := p.asked.Load()
		for range 80 {
			wantKey(t, r, "a", "unavailable")
			time.Sleep(500 * time.Millisecond)
		}
		if n := p.asked.Load(); n != before {
			t.Errorf("%d fetches during the issuer's Retry-After", n-before)
		}
		time.Sleep(time.Minute)
		wantKey(t, r, "a", "yes")
	})
}

// Waiting for the first keys is as fast.
func TestReadyAfterAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.fails()
		r := fetching(t, p, jwtauth.WithRefreshObserver(func(jwtauth.Refresh) { time.Sleep(time.Millisecond) }))
		time.AfterFunc(10*time.Minute, func() { p.serves(setOf(edKey("a"))) })
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute+5*time.Second)
		defer cancel()
		if err := r.Ready(ctx); err != nil {
			t.Error(err)
		}
	})
}

// A request that waited for a failed fetch gets no longer Retry-After than others.
func TestColdStartOfAnIssuerThatStalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.stalls()
		r := fetching(t, p)
		for start := time.Now(); time.Since(start) < 10*time.Minute; {
			_, err := r.Keys(context.Background(), "a")
			var down *core.UnavailableError
			if !errors.As(err, &down) || down.RetryAfter < time.Second || down.RetryAfter > 5*time.Second {
				t.Fatalf("after %v: error %#v", time.Since(start), err)
			}
			time.Sleep(down.RetryAfter)
		}
	})
}

// A fetch planned before the issuer's Retry-After is not made during it.
func TestPlannedFetchInAPause(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p)
		for _, kid := range []string{"b", "c", "d", "e", "f", "g"} { // one more than may cause a fetch at once
			_ = has(t, r, kid)
		}
		p.will(answers(503, "", "Retry-After", "50"))
		if _, err := r.Renew(context.Background(), "a"); err != nil {
			t.Fatal(err)
		}
		before := p.asked.Load()
		time.Sleep(45 * time.Second)
		if n := p.asked.Load(); n != before {
			t.Errorf("%d fetches during the issuer's Retry-After", n-before)
		}
	})
}

func TestRequestsWaitForTheFirstFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.will(func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return response(200, setOf(edKey("a"))), nil
		})
		r := fetching(t, p)
		wantKey(t, r, "a", "yes")
	})
}

// A fetch may end between a request's lookup of the key and its lookup of a fetch to wait
// for.
func TestFirstFetchEndsWhileARequestLooks(t *testing.T) {
	p := new(published)
	p.serves(setOf(edKey("a")))
	for range 3_000 {
		r, err := jwtauth.Fetch(keysURL, jwtauth.WithTransport(p))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { wantKey(t, r, "a", "yes") })
		}
		wg.Wait()
		r.Close()
		if t.Failed() {
			return
		}
	}
}

// A server that never answers delays a request by the timeout at most, and a cancelled
// request no longer than until then.
func TestStalledFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := new(published)
		p.serves(setOf(edKey("a")))
		r := fetching(t, p, jwtauth.WithTimeout(3*time.Second))
		p.stalls()
		start := time.Now()
		wantKey(t, r, "b", "unavailable")
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("waited %v", d)
		}
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := r.Keys(ctx, "b"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		wantKey(t, r, "a", "yes")
	})
}
