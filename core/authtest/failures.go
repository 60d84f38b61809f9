package authtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

var failureCases = []testCase{
	{"invariant 4 a failing dependency is 503 at every gate", outages},
	{"a client that hangs up is no outage", hangUps},
	{"a panic is 500 and the server lives on", panics},
}

// outages checks that an outage signs nobody out, forbids nothing and admits nobody.
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
	g, rec := guardOf(t, []core.Authenticator{script, bearerOn(t, tokens{})}, core.WithAuthorizer(policy))
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

// explosive is a scheme that panics in the method it is told to.
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

// panics checks that a panic in user code tells the client nothing, and that the connection
// stays usable.
func panics(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{explosive{}}, core.WithAuthorizer(secretive()))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	c := must.Have(dial(d.addr))(t)
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
