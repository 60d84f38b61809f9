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
	"github.com/sallyport-go/sallyport/core/challenge"
)

var failureCases = []testCase{
	{"invariant 4 a failing dependency is 503 at every gate", outages},
	{"invariant 4 Retry-After", retryAfter},
	{"invariant 4 a failing role source", roleSource},
	{"a client that hangs up is no outage", hangUps},
	{"a panic is 500 and the server lives on", panics},
	{"a panicking responder changes no status", panickingResponder},
	{"observers change no verdict, slow or panicking", observers},
}

// outages: an outage logs nobody out, forbids nothing and admits nobody.
func outages(t *testing.T, f Framework) {
	causes := map[string]error{
		"plain":     errors.New("connection refused"),
		"deadline":  context.DeadlineExceeded,
		"cancelled": fmt.Errorf("key server: %w", context.Canceled),
		"typed":     &core.UnavailableError{Err: errors.New("no route to host")},
	}
	script := &scripted{authenticate: func(r core.Request) (*core.Principal, error) {
		name, _ := r.Header("X-Down")
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
		return p, errors.Join(err, causes[name])
	}}
	policy := AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		name, _ := a.Request.Header("X-Store")
		return core.Decision{Allowed: true}, causes[name]
	})
	g, rec := guardOf(t, []core.Authenticator{script, newBearer(t, "r")}, core.WithAuthorizer(policy))
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}})
		d.admits("alice")
		for name := range causes {
			headers := []string{"X-Down: " + name}
			if kind == "Authorize" || kind == "Require" {
				headers = append(headers, "X-Store: "+name)
			}
			for _, header := range headers {
				a := d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, header)
				challenged(t, kind+" "+header, a, "")
				e := rec.Last(t)
				if e.Outcome != core.OutcomeUnavailable || e.Reason != core.ReasonUnavailable || !errors.Is(e.Cause, causes[name]) {
					t.Errorf("%s %s: event %s %s %v", kind, header, e.Outcome, e.Reason, e.Cause)
				}
			}
		}
	}
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

// roleSource: a principal whose roles cannot be found out is not judged
// without them.
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

// explosive is a scheme that panics wherever it is told to.
type explosive struct{ Names }

func (explosive) Scheme() core.Scheme { return byHeader("Explosive") }

func (explosive) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	switch where, _ := r.Header("X-Panic"); where {
	case "authenticate":
		panic(errors.New(leak))
	case "nil":
		panic(http.ErrAbortHandler)
	case "index":
		var none []string
		return nil, errors.New(none[len(where)])
	case "neither":
		return nil, nil
	case "rule":
		return core.NewPrincipal(core.PrincipalInfo{ID: "breaker"})
	}
	return nil, core.ErrNoCredentials
}

func (explosive) Challenges(r core.Request, _ error) []challenge.Challenge {
	if where, _ := r.Header("X-Panic"); where == "challenges" {
		panic(leak)
	}
	return realm("Explosive")
}

// panics: whatever users wrote may panic; the client learns nothing of it and
// the connection goes on.
func panics(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{explosive{}}, core.WithAuthorizer(secretive()))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, where := range []string{"authenticate", "nil", "index", "neither", "challenges", "rule"} {
		a, err := c.roundTrip(Request("GET", "/door", "X-Panic: "+where))
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		refused(t, where, a, http.StatusInternalServerError, core.CodeInternal)
		e := rec.Last(t)
		var p *core.PanicError
		if got := errors.As(e.Cause, &p); got != (where != "neither") || e.Outcome != core.OutcomeError {
			t.Errorf("%s: event %s %v", where, e.Outcome, e.Cause)
		}
		if p != nil && len(p.Stack) == 0 {
			t.Errorf("%s: no stack for operators", where)
		}
	}
	if a, err := c.roundTrip(Request("GET", "/door")); err != nil || a.Status != http.StatusUnauthorized {
		t.Errorf("after the panics: %d %v", a.Status, err)
	}
	if n := d.runs.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}

// panickingResponder: the denial stands, in the default look.
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

// observers: neither their time nor a panic in one changes an answer or keeps
// the others from being told.
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
