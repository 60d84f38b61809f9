package openid_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/session"
)

// TestAttackFlood: each made-up code costs a call of the provider and a store entry, so
// the limiter of guesses counts them. Requests that any page can cause in another
// person's browser are not counted.
func TestAttackFlood(t *testing.T) {
	t.Parallel()
	const budget = 3
	limiter := must(attempts.New(attempts.WithAddressBudget(4, time.Hour, budget)))
	p := newIDP(t)
	a := newApp(t, setUp{
		providers: []*openid.Provider{defaultProvider(t, p)},
		sessions:  []session.Option{session.WithAnswers(core.WithAttemptLimiter(limiter))},
	})
	b := a.browser()
	for range 2 * budget {
		b.wantRefused(b.get("/openid/callback/default?state=x&code=x"), openid.ReasonUnknownSignIn)
		b.wantRefused(a.browser().get(b.ask(b.begin("/account"))), openid.ReasonUnknownSignIn)
		b.wantRefused(b.get(with(with(b.ask(b.begin("/account")), "code", ""), "error", "access_denied")), openid.ReasonRefused)
	}
	if got := p.asked.Load(); got != 0 {
		t.Fatalf("the provider was called %d times", got)
	}
	for range budget {
		b.wantRefused(b.get(with(b.ask(b.begin("/account")), "code", "made up")), openid.ReasonBadCode)
	}
	back := b.ask(b.begin("/account"))
	for range budget {
		got := b.get(with(back, "code", "made up"))
		if got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" || got.location != "" {
			t.Errorf("%d with Retry-After %q to %q, want 429", got.StatusCode, got.Header.Get("Retry-After"), got.location)
		}
	}
	if e := a.last("sign_in"); e.Outcome != core.OutcomeLimited {
		t.Errorf("event %s %s", e.Outcome, e.Reason)
	}
	if got := p.asked.Load(); got != budget {
		t.Errorf("the provider was called %d times, want %d", got, budget)
	}
	b.wantSignedIn("")
}

// TestExchangesAreBounded: when many people come back at once only a few exchanges run at
// a time, and all people are signed in.
func TestExchangesAreBounded(t *testing.T) {
	t.Parallel()
	const people, atATime = 80, 64
	p := newIDP(t)
	a := newApp(t, setUp{providers: []*openid.Provider{defaultProvider(t, p, openid.WithTimeout(time.Minute))}})
	var now, most atomic.Int32
	full := make(chan struct{})
	release := sync.OnceFunc(func() { close(full) })
	p.during = func() {
		if n := now.Add(1); n > most.Load() { // below atATime this may miss some, and the last one does not
			most.Store(n)
		}
		if p.asked.Load() >= atATime {
			release()
		}
		<-full
		now.Add(-1)
	}
	backs := make([]string, people)
	browsers := make([]*browser, people)
	for i := range backs {
		browsers[i] = a.browser()
		backs[i] = browsers[i].ask(browsers[i].begin("/account"))
	}
	var all sync.WaitGroup
	for i, b := range browsers {
		all.Go(func() {
			if got := b.get(backs[i]); got.location != "/account" {
				t.Errorf("%d to %q, want /account", got.StatusCode, got.location)
			}
		})
	}
	all.Wait()
	if most.Load() > atATime {
		t.Errorf("the provider was called %d times at once, want %d at most", most.Load(), atATime)
	}
}
