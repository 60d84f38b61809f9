package authtest

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var orderCases = []testCase{
	{"invariant 1 gate two runs gate one first", gateOneFirst},
	{"one request is one principal at all its gates", onePrincipal},
	{"two guards each know their principal", twoPrincipals},
	{"a check of another guard keeps the principal", checkKeepsPrincipal},
	{"check with a context of any type", checkWithAnyContext},
	{"check inside a handler", checkInHandler},
	{"check behind an optional gate", checkAnonymous},
	{"check of the object that the handler has loaded", checkOfObject},
}

// gateOneFirst checks that if gate two is reached without gate one, no rule is asked about
// an anonymous request or one with bad credentials.
func gateOneFirst(t *testing.T, f Framework) {
	for _, kind := range []string{"Authorize", "Require"} {
		asked := 0
		policy := AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
			asked++
			return core.Decision{Allowed: p.ID() == "alice"}, nil
		})
		g, _ := guard(t, core.WithAuthorizer(policy))
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}})
		d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, as("bad"))
		if asked != 0 {
			t.Errorf("%s: a rule was asked about nobody", kind)
		}
		d.admits("alice", as("alice"))
		d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"))
		if asked != 2 {
			t.Errorf("%s: rules were asked %d times", kind, asked)
		}
	}
}

// onePrincipal checks that gates on app, group and route authenticate only once in total,
// and that rules, handler and check see the same principal.
func onePrincipal(t *testing.T, f Framework) {
	var mu sync.Mutex
	var seen []*core.Principal
	see := func(p *core.Principal) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, p)
	}
	policy := AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		see(p)
		return core.Decision{Allowed: true}, nil
	})
	script := &scripted{authenticate: func(core.Request) (*core.Principal, error) {
		return core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	}}
	g, rec := guardOf(t, []core.Authenticator{script}, core.WithAuthorizer(policy))
	gate := func(kind string) []Gate { return []Gate{{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}}} }
	for _, mounted := range []bool{false, true} {
		seen = nil
		script.asked.Store(0)
		addr := f.Start(t, App{
			Use: gate("Optional"),
			Routes: []Route{{
				Group: "/api", Mounted: mounted, Pattern: "/door", Methods: []string{"GET"},
				GroupGates: gate("Authorize"), Gates: append(gate("Authenticate"), gate("Require")...),
				Handler: func(x Exchange) error {
					see(x.Principal())
					if p, _ := core.PrincipalFrom(x.Context()); p != x.Principal() {
						t.Error("context and adapter give different principals")
					}
					if err := x.Check(g, policy); err != nil {
						return err
					}
					return ok(x)
				},
			}},
		})
		if a := Send(t, addr, Request("GET", "/api/door")); a.Status != http.StatusOK {
			t.Fatalf("status %d: %s", a.Status, a.Body)
		}
		if n := script.asked.Load(); n != 1 {
			t.Errorf("authenticated %d times", n)
		}
		if len(seen) != 4 {
			t.Errorf("seen %d times", len(seen))
		}
		for _, p := range seen {
			if p == nil || p != seen[0] || p.ID() != "alice" || p.Scheme() != "Script" {
				t.Errorf("principals %v", seen)
			}
		}
	}
	if n := len(rec.Events()); n != 10 {
		t.Errorf("%d events from five gates and two requests", n)
	}
}

// tagged is a context that cannot be compared.
type tagged struct {
	context.Context
	tags []string
}

// checkWithAnyContext checks that a check works if the handler, or a middleware, has put
// the request's context into one that == panics for.
func checkWithAnyContext(t *testing.T, f Framework) {
	g, _ := guard(t)
	d := newDoorIn(t, f, App{}, func(x Exchange) error {
		x.SetContext(tagged{x.Context(), []string{"a"}})
		return x.Check(g, only("alice"))
	}, Gate{Kind: "Authenticate", Guard: g})
	d.admits("alice", as("alice"))
	d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"))
}

// checkInHandler checks that a refusal inside a handler is byte for byte that of a gate,
// with nothing appended when the handler returns.
func checkInHandler(t *testing.T, f Framework) {
	var native error
	g, rec := guard(t)
	gated := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}})
	checked := newDoorIn(t, f, App{}, func(x Exchange) error {
		native = x.Check(g, only("alice"))
		return native
	}, Gate{Kind: "Authenticate", Guard: g})
	a := checked.get(as("bob"))
	refused(t, "check as bob", a, http.StatusForbidden, core.CodeForbidden)
	if diff := difference(gated.get(as("bob")), a); diff != "" {
		t.Errorf("gate and check differ: %s", diff)
	}
	var d *core.Denial
	if !errors.As(native, &d) || d.Kind != core.Forbidden {
		t.Errorf("the handler was told %v", native)
	}
	checked.admits("alice", as("alice"))
	if e := rec.Last(t); e.Gate != "check" || e.PrincipalID != "alice" {
		t.Errorf("event of gate %q for %q", e.Gate, e.PrincipalID)
	}
}

// checkOfObject checks that a rule made for the object that a handler has loaded is asked
// about the matched path, for each request about its own object, and that the event
// contains the facts it decided by.
func checkOfObject(t *testing.T, f Framework) {
	g, rec := guard(t)
	owners := map[string]string{"7": "alice", "8": "bob"}
	addr := f.Start(t, App{Routes: []Route{{
		Pattern: "/documents/:id", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Authenticate", Guard: g}},
		Handler: func(x Exchange) error {
			owner, path := owners[x.Param("id")], "/documents/"+x.Param("id")
			if err := x.Check(g, ownedBy{owner, path}); err != nil {
				return err
			}
			return ok(x)
		},
	}}})
	for _, c := range []struct {
		id, who string
		status  int
	}{
		{"7", "alice", 200}, {"7", "bob", 403}, {"8", "bob", 200}, {"8", "alice", 403}, {"9", "alice", 403}, {"7", "alice", 200},
	} {
		if a := Send(t, addr, Request("GET", "/documents/"+c.id, as(c.who))); a.Status != c.status {
			t.Errorf("document %s as %s: %d %q", c.id, c.who, a.Status, a.Body)
		}
		e := rec.Last(t)
		var owner string
		for _, value := range e.Attributes() {
			owner = value
		}
		if e.Gate != "check" || e.PrincipalID != c.who || owner != owners[c.id] {
			t.Errorf("event of gate %q for %q about an object of %q", e.Gate, e.PrincipalID, owner)
		}
	}
}

// ownedBy allows the owner of the object at a path.
type ownedBy struct{ owner, path string }

// Authorize implements [core.Authorizer].
func (o ownedBy) Authorize(_ context.Context, p *core.Principal, a core.Access) (core.Decision, error) {
	return core.Decision{Allowed: p.ID() == o.owner && a.Action == "GET" && a.Resource.Path == o.path, Attributes: o}, nil
}

// All implements [core.Attributes].
func (o ownedBy) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) { yield("owner", o.owner) }
}

// checkAnonymous checks that a check behind an optional gate answers an anonymous request
// with the same 401 as Require.
func checkAnonymous(t *testing.T, f Framework) {
	g, _ := guard(t)
	gated := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}})
	check := func(x Exchange) error { return x.Check(g, only("alice")) }
	checked := newDoorIn(t, f, App{}, check, Gate{Kind: "Optional", Guard: g})
	for _, header := range []string{"Accept: */*", as("bad"), as("bob")} {
		if diff := difference(gated.get(header), checked.get(header)); diff != "" {
			t.Errorf("%s: %s", header, diff)
		}
	}
	checked.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	checked.admits("alice", as("alice"))
}
