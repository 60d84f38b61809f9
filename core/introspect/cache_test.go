package introspect_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/introspect"
)

// E29: cached answers are checked again for each request.
func TestAnswersAreKeptForAWhile(t *testing.T) {
	second := time.Second
	for _, tc := range []struct {
		name, answer string
		opts         []introspect.Option
		kept         time.Duration // the last time without a new call; -1 for none
	}{
		{"by default", good(), nil, 30*second - 1},
		{"as told", good(), []introspect.Option{introspect.WithCacheTTL(2 * time.Minute)}, 2*time.Minute - 1},
		{"never past exp", good("exp", start.Add(5*second).Unix()), nil, 5*second - 1},
		{"not at all", good(), []introspect.Option{introspect.WithCacheTTL(0)}, -1},
		{"past exp within the leeway", good("exp", start.Unix()), nil, -1},
		{"inactive", `{"active":false}`, nil, 5*second - 1},
		{"inactive, with a short time", `{"active":false}`, []introspect.Option{introspect.WithCacheTTL(second)}, second - 1},
		{"inactive, not at all", `{"active":false}`, []introspect.Option{introspect.WithCacheTTL(0)}, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEndpoint(t, says(tc.answer))
			v, c := newVerifier(t, e.URL, tc.opts...)
			_, first := v.VerifyToken(t.Context(), "opaque")
			if tc.kept >= 0 {
				c.advance(tc.kept)
				if _, err := v.VerifyToken(t.Context(), "opaque"); (err == nil) != (first == nil) || e.asked.Load() != 1 {
					t.Errorf("after %v: error %v, called %d times", tc.kept, err, e.asked.Load())
				}
			}
			c.advance(1)
			if _, err := v.VerifyToken(t.Context(), "opaque"); (err == nil) != (first == nil) || e.asked.Load() != 2 {
				t.Errorf("then: error %v, called %d times", err, e.asked.Load())
			}
			_, _ = v.VerifyToken(t.Context(), "opaque2")
			if e.asked.Load() != 3 {
				t.Error("another token had the same answer")
			}
		})
	}
}

// During an outage a token works as long as its answer is cached, and no longer.
func TestAnOutageLogsNoOneOutAtOnce(t *testing.T) {
	e := newEndpoint(t, says(good()))
	v, c := newVerifier(t, e.URL)
	if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil {
		t.Fatal(err)
	}
	e.set(fails(http.StatusInternalServerError, ""))
	c.advance(30*time.Second - 1)
	if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil {
		t.Errorf("while it is cached: %v", err)
	}
	c.advance(1)
	_, err := v.VerifyToken(t.Context(), "opaque")
	unavailable(t, err)
	e.set(says(`{"active":false}`))
	_, err = v.VerifyToken(t.Context(), "opaque")
	refusedFor(t, err, introspect.ReasonInactive)
}

// A cached answer with a future nbf is valid from then on, and not before.
func TestTimesAreJudgedForEachRequest(t *testing.T) { // E29
	e := newEndpoint(t, says(good("nbf", start.Add(40*time.Second).Unix())))
	v, c := newVerifier(t, e.URL)
	_, err := v.VerifyToken(t.Context(), "opaque")
	refusedFor(t, err, core.ReasonNotYetValid)
	c.advance(10 * time.Second)
	if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil || e.asked.Load() != 1 {
		t.Errorf("error %v, called %d times", err, e.asked.Load())
	}
}

// A flood of unknown tokens does not evict the valid ones.
func TestUnknownTokensEvictNoValidOne(t *testing.T) {
	e := newEndpoint(t, says(good()))
	v, _ := newVerifier(t, e.URL, introspect.WithCacheSize(4))
	if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil {
		t.Fatal(err)
	}
	e.set(says(`{"active":false}`))
	for i := range 100 {
		_, err := v.VerifyToken(t.Context(), "x"+strconv.Itoa(i))
		refusedFor(t, err, introspect.ReasonInactive)
	}
	if _, err := v.VerifyToken(t.Context(), "opaque"); err != nil || e.asked.Load() != 101 {
		t.Errorf("error %v, called %d times", err, e.asked.Load())
	}
}

// held is an endpoint that reports each call and answers when released.
func held(t *testing.T) (e *endpoint, arrived chan string, release chan struct{}) {
	arrived, release = make(chan string, 1000), make(chan struct{})
	return newEndpoint(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.FormValue("token")
		<-release
		says(good())(w, r)
	}), arrived, release
}

func TestRequestsForOneTokenShareACall(t *testing.T) {
	e, arrived, release := held(t)
	v, _ := newVerifier(t, e.URL, introspect.WithCacheTTL(0), introspect.WithTimeout(time.Minute))
	gone, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := v.VerifyToken(gone, "opaque")
		first <- err
	}()
	<-arrived
	var ready, all sync.WaitGroup
	for range 50 {
		ready.Add(1)
		all.Go(func() {
			ready.Done()
			if p, err := v.VerifyToken(t.Context(), "opaque"); err != nil || p.ID() != "alice" {
				t.Errorf("principal %v, error %v", p, err)
			}
		})
	}
	ready.Wait()
	introspect.AwaitJoined(v, 51)
	cancel() // the request that began the call is cancelled
	unavailable(t, <-first)
	close(release)
	all.Wait()
	if n := e.asked.Load(); n != 1 {
		t.Errorf("called %d times", n)
	}
}

func TestCallsAreBounded(t *testing.T) {
	e, arrived, release := held(t)
	v, _ := newVerifier(t, e.URL, introspect.WithConcurrency(2), introspect.WithTimeout(time.Minute))
	var all sync.WaitGroup
	for i := range 18 {
		all.Go(func() {
			if _, err := v.VerifyToken(t.Context(), "t"+strconv.Itoa(i)); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	<-arrived
	introspect.AwaitFlights(v, 18)
	_, err := v.VerifyToken(t.Context(), "one more")
	unavailable(t, err)
	if n := e.asked.Load(); n != 2 {
		t.Errorf("%d calls at a time", n)
	}
	close(release)
	all.Wait()
	if n := e.asked.Load(); n != 18 {
		t.Errorf("called %d times", n)
	}
}

func TestWaitingForATurnEnds(t *testing.T) {
	e, arrived, release := held(t)
	defer close(release)
	v, _ := newVerifier(t, e.URL, introspect.WithConcurrency(1), introspect.WithTimeout(100*time.Millisecond))
	for waiting := true; waiting; { // a busy machine may not get there in time
		failed := make(chan struct{})
		go func() {
			defer close(failed)
			_, _ = v.VerifyToken(t.Context(), "first")
		}()
		select {
		case <-arrived:
			waiting = false
		case <-failed:
		}
	}
	_, err := v.VerifyToken(t.Context(), "second")
	unavailable(t, err)
}

func TestAKeptAnswerAllocatesNothing(t *testing.T) {
	e := newEndpoint(t, says(good()))
	v, _ := newVerifier(t, e.URL)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, err := v.VerifyToken(ctx, "opaque"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Both kinds of cached answers are hits; a token that needs a call is a miss.
func TestLookUpsOfAnswersAreCounted(t *testing.T) {
	for _, answer := range []string{good(), `{"active":false}`} {
		v, _ := newVerifier(t, newEndpoint(t, says(answer)).URL)
		for _, token := range []string{"opaque", "opaque", "opaque", "other"} {
			_, _ = v.VerifyToken(t.Context(), token)
		}
		if got, want := v.CacheStats(), (core.CacheStats{Hits: 2, Misses: 2, Entries: 2}); got != want {
			t.Errorf("%s: got %+v, want %+v", answer, got, want)
		}
	}
}
