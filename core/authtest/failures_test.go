package authtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

var failureSemantics = []testCase{
	{"invariant 4 Retry-After", retryAfter},
	{"invariant 4 a failing role source", roleSource},
	{"a panicking responder changes no status", panickingResponder},
	{"observers change no verdict, slow or panicking", observers},
}

// retryAfter: whole seconds, rounded up (RFC 9110 §10.2.3).
func retryAfter(t *testing.T, f Framework) {
	var wait time.Duration
	script := &scripted{authenticate: func(core.Request) (*core.Principal, error) {
		return nil, fmt.Errorf("wrapped: %w", &core.UnavailableError{RetryAfter: wait, Err: errors.New("down")})
	}}
	g, _ := guardOf(t, []core.Authenticator{script})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	own, _ := guardOf(t, []core.Authenticator{script}, core.WithRetryAfter(90*time.Second))
	ownDoor := newDoor(t, f, Gate{Kind: "Authenticate", Guard: own})
	for _, c := range []struct {
		wait      time.Duration
		want, own string
	}{
		{0, "5", "90"}, {time.Nanosecond, "1", "1"}, {time.Second, "1", "1"}, {1001 * time.Millisecond, "2", "2"}, {time.Hour, "3600", "3600"},
	} {
		wait = c.wait
		if got := d.get().Header.Get("Retry-After"); got != c.want {
			t.Errorf("%v: Retry-After %q, want %q", c.wait, got, c.want)
		}
		if got := ownDoor.get().Header.Get("Retry-After"); got != c.own {
			t.Errorf("%v: Retry-After %q, want %q", c.wait, got, c.own)
		}
	}
}

// sourceFunc is a role source made of a function.
type sourceFunc func(p *core.Principal) ([]string, error)

func (f sourceFunc) RolesOf(_ context.Context, p *core.Principal) ([]string, error) { return f(p) }

// roleSource: a principal whose roles cannot be determined is not authorized without them.
func roleSource(t *testing.T, f Framework) {
	g, rec := guard(t, core.WithRoles(sourceFunc(func(p *core.Principal) ([]string, error) {
		switch p.ID() {
		case "bob":
			return nil, errors.New("directory down")
		case "eve":
			panic("directory")
		}
		return []string{"admin"}, nil
	})))
	admin := AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		return core.Decision{Allowed: p.HasRole("admin")}, nil
	})
	for _, kind := range []string{"Authenticate", "Optional", "Require"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{admin}})
		d.admits("alice", as("alice"))
		d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, as("bob"))
		d.refuses(http.StatusInternalServerError, core.CodeInternal, as("eve"))
		if e := rec.Last(t); e.Reason != core.ReasonPanic {
			t.Errorf("reason %s", e.Reason)
		}
	}
}

// panickingResponder: the denial stands, in the default format.
func panickingResponder(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")),
		core.WithLogger(slog.New(slog.DiscardHandler)),
		core.WithResponder(responderFunc(func(*core.Denial) core.Response { panic(leak) })))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"))
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, as("down"))
	d.admits("alice", as("alice"))
}

// observers: neither a slow nor a panicking observer changes an answer or keeps the others
// from being called.
func observers(t *testing.T, f Framework) {
	entered, release := make(chan core.Outcome), make(chan struct{})
	slow := core.ObserverFunc(func(_ context.Context, e core.Event) {
		entered <- e.Outcome
		<-release
	})
	bad := core.ObserverFunc(func(context.Context, core.Event) { panic(leak) })
	g, rec := guard(t, core.WithAuthorizer(only("alice")), core.WithLogger(slog.New(slog.DiscardHandler)),
		core.WithObserver(bad), core.WithObserver(slow))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	for _, c := range []struct {
		header  string
		outcome core.Outcome
		status  int
	}{
		{"Accept: */*", core.OutcomeUnauthenticated, 401},
		{as("bob"), core.OutcomeForbidden, 403},
		{as("down"), core.OutcomeUnavailable, 503},
		{as("alice"), core.OutcomeAllowed, 200},
	} {
		answers := make(chan Answer, 1)
		go func() {
			a, err := send(d.addr, Request("GET", "/door", c.header))
			if err != nil {
				a.Body = err.Error()
			}
			answers <- a
		}()
		select {
		case got := <-entered:
			if got != c.outcome {
				t.Errorf("%s: the observer is told %s", c.header, got)
			}
		case a := <-answers:
			t.Fatalf("%s: answered %d %q and the observer was not told", c.header, a.Status, a.Body)
		}
		before := len(rec.Events())
		release <- struct{}{}
		if a := <-answers; a.Status != c.status {
			t.Errorf("%s: %d %s", c.header, a.Status, a.Body)
		}
		if got := len(rec.Events()); got != before+1 {
			t.Errorf("%s: the last observer was told %d times", c.header, got-before)
		}
	}
}
