package authtest

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var methodCases = []testCase{
	{"invariant 10 A16 HEAD is GET without a body", headIsGet},
	{"a refusal ends the connection of a client of HTTP/1.0", oldProtocol},
	{"invariant 10 A17 a preflight passes and no handler runs", preflight},
	{"invariant 10 unknown methods are refused", unknownMethods},
}

// headIsGet checks that HEAD gets the header of GET without a body, from gates and handlers
// (RFC 9110 §9.3.2).
func headIsGet(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, tokens{}), Names{}, sessions{}}, core.WithAuthorizer(only("alice")))
	gate := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	check := newDoorIn(t, f, App{}, func(x Exchange) error { return x.Check(g, only("alice")) }, Gate{Kind: "Optional", Guard: g})
	for _, header := range []string{
		"Accept: */*", as("bad"), as("bob"), as("alice"), as("down"), as("panic"), "Authorization: Bearer expired",
		"Authorization: Bearer alice", as("alice") + "\n" + as("alice"), "Cookie: session=alice", "Cookie: session=bob",
	} {
		for what, d := range map[string]*door{"gate": gate, "check": check} {
			get := d.get(header)
			head := Send(t, d.addr, Request("HEAD", "/door", header))
			if head.Body != "" {
				t.Errorf("%s, %s: HEAD has a body: %q", what, header, head.Body)
			}
			get.Body = ""
			if diff := difference(get, head); diff != "" {
				t.Errorf("%s, %s: %s", what, header, diff)
			}
			if e := rec.Last(t); e.Method != http.MethodHead || e.Status != head.Status {
				t.Errorf("%s, %s: event %s %d", what, header, e.Method, e.Status)
			}
		}
	}
}

// oldProtocol checks that a client of HTTP/1.0 gets a refusal and then the end of the
// connection, unless it is told that the connection stays (RFC 9112 §9.3).
func oldProtocol(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	for what, addr := range map[string]string{
		"gate":  newDoor(t, f, Gate{Kind: "Authorize", Guard: g}).addr,
		"check": newDoorIn(t, f, App{}, func(x Exchange) error { return x.Check(g, only("alice")) }, Gate{Kind: "Optional", Guard: g}).addr,
	} {
		for _, asks := range []string{"Accept: */*", "Connection: keep-alive"} {
			c, err := dial(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			a, err := c.roundTrip("GET /door HTTP/1.0\nHost: app.example\n" + as("bob") + "\n" + asks)
			if err != nil {
				t.Fatal(err)
			}
			refused(t, what+", "+asks, a, http.StatusForbidden, core.CodeForbidden)
			if strings.EqualFold(a.Header.Get("Connection"), "keep-alive") {
				continue
			}
			if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: the connection does not end: %v", what, asks, err)
			}
		}
	}
}

// The header fields that make OPTIONS a preflight request (Fetch standard).
const (
	origin  = "Origin: https://app.example"
	asksFor = "Access-Control-Request-Method: PUT"
)

// preflight checks that the gate answers CORS preflights without authentication, since
// browsers send them without credentials.
func preflight(t *testing.T, f Framework) {
	asked := 0
	policy := AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
		asked++
		return core.Decision{}, nil
	})
	for _, kind := range kinds {
		g, rec := guard(t, core.WithAuthorizer(policy))
		gate := Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}}
		behind := newDoor(t, f, gate)
		around := &door{t: t}
		route := around.route()
		route.Methods = []string{"PUT"} // no OPTIONS handler of its own
		around.addr = f.Start(t, App{Use: []Gate{gate}, Routes: []Route{route}})
		for _, d := range []*door{behind, around} {
			for _, credentials := range []string{"Accept: */*", as("bad"), as("alice"), as("down"), as("panic")} {
				a := Send(t, d.addr, Request("OPTIONS", "/door", origin, asksFor, credentials))
				if a.Status != http.StatusNoContent || a.Body != "" || a.Header.Get("WWW-Authenticate") != "" {
					t.Errorf("%s: %s: %d %v %q", kind, credentials, a.Status, a.Header, a.Body)
				}
				e := rec.Last(t)
				if e.Outcome != core.OutcomePreflight || e.Status != http.StatusNoContent || e.PrincipalID != "" {
					t.Errorf("%s: event %s %d %q", kind, e.Outcome, e.Status, e.PrincipalID)
				}
			}
			if d.runs.Load() != 0 || asked != 0 {
				t.Errorf("%s: handler ran %d times, policy was asked %d times", kind, d.runs.Load(), asked)
			}
		}
	}
}

// routes reports whether a route may have the method.
func (f Framework) routes(method string) bool {
	return f.Methods == nil || slices.Contains(f.Methods, method)
}

// methodDoor serves a door for one unusual method.
func methodDoor(t *testing.T, f Framework, method string, gates ...Gate) *door {
	t.Helper()
	d := &door{t: t}
	route := d.route(gates...)
	if f.routes(method) {
		route.Methods = []string{method}
	}
	d.addr = f.Start(t, App{Routes: []Route{route}})
	return d
}

// unknownMethods checks that methods other than those of RFC 9110 §9.3 and PATCH, as well
// as TRACE, are refused without asking a policy that does not name them: its "*" was not
// written with them in mind.
func unknownMethods(t *testing.T, f Framework) {
	asked := false
	all := AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
		asked = true
		return core.Decision{Allowed: true}, nil
	})
	for _, method := range []string{"TRACE", "PROPFIND", "REPORT"} {
		for _, kind := range kinds {
			g, rec := guard(t, core.WithAuthorizer(guests{all}))
			d := methodDoor(t, f, method, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{all}})
			for credentials, status := range map[string]int{
				"Accept: */*": http.StatusUnauthorized, as("bad"): http.StatusUnauthorized, as("alice"): http.StatusForbidden,
			} {
				a := Send(t, d.addr, Request(method, "/door", credentials))
				if !f.routes(method) {
					if a.Status < 400 {
						t.Errorf("%s as %s: %d", method, credentials, a.Status)
					}
					continue
				}
				if a.Status != status {
					t.Errorf("%s %s as %s: %d, want %d", kind, method, credentials, a.Status, status)
				}
				if e := rec.Last(t); status == 403 && e.Reason != core.ReasonUnknownMethod {
					t.Errorf("%s %s: reason %s", kind, method, e.Reason)
				}
			}
			if asked || d.runs.Load() != 0 {
				t.Errorf("%s %s: policy asked %v, handler ran %d times", kind, method, asked, d.runs.Load())
			}
		}
	}
}
