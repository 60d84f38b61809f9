package authtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var gateCases = []testCase{
	{"invariant 1 A01-A03 the verdicts of each gate", verdicts},
	{"invariant 1 a gate anywhere gives the same answer", placements},
}

// kinds are the four gates.
var kinds = []string{"Authenticate", "Optional", "Authorize", "Require"}

// moody is a policy that allows alice, fails for some principals and panics for one.
func moody(p *core.Principal, _ core.Access) (core.Decision, error) {
	switch p.ID() {
	case "alice":
		return core.Decision{Allowed: true}, nil
	case "storeless":
		return core.Decision{Allowed: true}, http.ErrServerClosed
	case "faulty":
		return core.Decision{Allowed: true}, &core.InternalError{Err: http.ErrServerClosed}
	case "breaker":
		panic("rule")
	}
	return core.Decision{}, nil
}

// verdicts is the table of the verdicts of both gates on one route each.
func verdicts(t *testing.T, f Framework) {
	policy := AuthorizerFunc(moody)
	g, rec := guard(t, core.WithAuthorizer(policy))
	doors := map[string]*door{}
	for _, kind := range kinds {
		doors[kind] = newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}})
	}
	for _, c := range []struct {
		gate, credentials string
		status            int
		answer            string // the code of a refusal, or the ID of the principal
	}{
		{"Authenticate", "", 401, core.CodeAuthenticationRequired},
		{"Authenticate", "Name bad", 401, core.CodeInvalidCredentials},
		{"Authenticate", "Other x", 401, core.CodeAuthenticationRequired},
		{"Authenticate", "Name bob", 200, "bob"},
		{"Authenticate", "Name down", 503, core.CodeUnavailable},
		{"Authenticate", "Name panic", 500, core.CodeInternal},
		{"Optional", "", 200, "anonymous"},
		{"Optional", "Other x", 200, "anonymous"},
		{"Optional", "Name bad", 401, core.CodeInvalidCredentials},
		{"Optional", "Name bob", 200, "bob"},
		{"Optional", "Name down", 503, core.CodeUnavailable},
		{"Optional", "Name panic", 500, core.CodeInternal},
		{"Authorize", "", 401, core.CodeAuthenticationRequired},
		{"Authorize", "Other x", 401, core.CodeAuthenticationRequired},
		{"Authorize", "Name bad", 401, core.CodeInvalidCredentials},
		{"Authorize", "Name bob", 403, core.CodeForbidden},
		{"Authorize", "Name alice", 200, "alice"},
		{"Authorize", "Name storeless", 503, core.CodeUnavailable},
		{"Authorize", "Name faulty", 500, core.CodeInternal},
		{"Authorize", "Name breaker", 500, core.CodeInternal},
		{"Require", "", 401, core.CodeAuthenticationRequired},
		{"Require", "Name bad", 401, core.CodeInvalidCredentials},
		{"Require", "Name bob", 403, core.CodeForbidden},
		{"Require", "Name alice", 200, "alice"},
		{"Require", "Name storeless", 503, core.CodeUnavailable},
		{"Require", "Name breaker", 500, core.CodeInternal},
	} {
		t.Run(c.gate+" "+c.credentials, func(t *testing.T) {
			d := doors[c.gate]
			d.t = t
			var header []string
			if c.credentials != "" {
				header = []string{"Authorization: " + c.credentials}
			}
			if c.status == 200 {
				d.admits(c.answer, header...)
			} else {
				d.refuses(c.status, c.answer, header...)
			}
			if e := rec.Last(t); e.Status != c.status {
				t.Errorf("the event says %d", e.Status)
			}
		})
	}
}

// placements checks that a gate gives the same answers, field for field, around the app, a
// group or a mounted app, and on the route.
func placements(t *testing.T, f Framework) {
	for _, kind := range kinds {
		g, _ := guard(t, core.WithAuthorizer(only("alice")))
		gate := []Gate{{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}}}
		route := Route{Group: "/api", Pattern: "/door", Methods: []string{"GET"}, Handler: ok}
		onGroup, onMount, onRoute := route, route, route
		onGroup.GroupGates, onRoute.Gates = gate, gate
		onMount.GroupGates, onMount.Mounted = gate, true
		where := []struct {
			name string
			app  App
		}{
			{"app", App{Use: gate, Routes: []Route{route}}},
			{"group", App{Routes: []Route{onGroup}}},
			{"mounted", App{Routes: []Route{onMount}}},
			{"route", App{Routes: []Route{onRoute}}},
		}
		first := map[string]Answer{}
		for _, w := range where {
			addr := f.Start(t, w.app)
			for _, name := range []string{"", "Name bad", "Name bob", "Name alice", "Name down", "Name panic"} {
				a := Send(t, addr, Request("GET", "/api/door", "Authorization: "+name))
				want, ok := first[name]
				if !ok {
					first[name] = a
					continue
				}
				if diff := difference(want, a); diff != "" {
					t.Errorf("%s on %s as %q: %s", kind, w.name, name, diff)
				}
			}
		}
	}
}

// difference returns in what two answers differ, or "". Date is ignored.
func difference(a, b Answer) string {
	switch {
	case a.Status != b.Status:
		return http.StatusText(a.Status) + " and " + http.StatusText(b.Status)
	case a.Body != b.Body:
		return "bodies " + a.Body + " and " + b.Body
	default:
		return fieldDifference(a.Header, b.Header)
	}
}

// guests is a policy that allows anonymous requests to GET.
type guests struct{ AuthorizerFunc }

func (guests) AuthorizeAnonymous(_ context.Context, a core.Access) (core.Decision, error) {
	return core.Decision{Allowed: a.Action == http.MethodGet}, nil
}
