package authtest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var orderSemantics = []testCase{
	{"invariant 1 gates in any order", anyOrder},
	{"another guard's principal is no proof", foreignPrincipal},
	{"a check that fails or cannot work", checkFailing},
}

// anyOrder: gates mounted in the wrong order still give the right verdicts.
func anyOrder(t *testing.T, f Framework) {
	for _, order := range [][]string{
		{"Authenticate", "Require"}, {"Require", "Authenticate"},
		{"Authorize", "Authenticate"}, {"Optional", "Authorize"},
		{"Authorize", "Optional", "Require"}, {"Optional", "Authenticate"}, {"Authenticate", "Optional"},
	} {
		g, _ := guard(t, core.WithAuthorizer(only("alice")))
		var gates []Gate
		policed := false
		for _, kind := range order {
			gates = append(gates, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
			policed = policed || kind == "Require" || kind == "Authorize"
		}
		d := newDoor(t, f, gates...)
		d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, as("bad"))
		d.admits("alice", as("alice"))
		if policed {
			d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"))
		}
	}
}

// foreignPrincipal: a principal of one guard is unknown to another.
func foreignPrincipal(t *testing.T, f Framework) {
	names, _ := guard(t)
	cookies, _ := guardOf(t, []core.Authenticator{sessions{}}, core.WithAuthorizer(only("alice")))
	for _, kind := range kinds {
		d := newDoor(t, f,
			Gate{Kind: "Authenticate", Guard: names},
			Gate{Kind: kind, Guard: cookies, Rules: []core.Authorizer{only("alice")}})
		if kind == "Optional" {
			d.admits("anonymous", as("alice"))
		} else {
			a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, as("alice"))
			if v := a.Header.Get("WWW-Authenticate"); v != `Session realm="test"` {
				t.Errorf("%s: challenge %q", kind, v)
			}
		}
		d.admits("alice", as("bob"), "Cookie: session=alice")
	}
}

// checkFailing: outages and errors in a check are 503 and 500, and a check without rules
// allows nothing.
func checkFailing(t *testing.T, f Framework) {
	g, _ := guard(t)
	rules := map[string][]core.Authorizer{
		"storeless": {AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
			return core.Decision{Allowed: true}, http.ErrServerClosed
		})},
		"faulty": {AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) { panic("rule") })},
		"empty":  nil,
		"nil":    {nil},
	}
	d := &door{t: t}
	route := d.route(Gate{Kind: "Optional", Guard: g})
	route.Handler = func(x Exchange) error {
		p, ok := core.PrincipalFrom(x.Context())
		if !ok {
			return x.Text(http.StatusTeapot, "no principal")
		}
		if err := x.Check(g, rules[p.ID()]...); err != nil {
			return err
		}
		return d.handle(x)
	}
	d.addr = f.Start(t, App{Routes: []Route{route}})
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, as("storeless"))
	for _, name := range []string{"faulty", "empty", "nil"} {
		d.refuses(http.StatusInternalServerError, core.CodeInternal, as(name))
	}
}
