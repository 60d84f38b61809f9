package authtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var methodCases = []testCase{
	{"invariant 10 A16 HEAD is GET without a body", headIsGet},
	{"invariant 10 A17 a preflight passes and no handler runs", preflight},
	{"A17 CORS in front of the gates", corsInFront},
	{"A17 every other OPTIONS is authenticated", otherOptions},
	{"invariant 10 unknown methods are refused", unknownMethods},
	{"a policy or a guard may name unknown methods", namedMethods},
}

// headIsGet: RFC 9110 §9.3.2, on answers of gates and of handlers.
func headIsGet(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{newBearer(t, "r"), Names{}, sessions{}}, core.WithAuthorizer(only("alice")))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	for _, header := range []string{
		"Accept: */*", as("bad"), as("bob"), as("alice"), as("down"), as("panic"), "Authorization: Bearer expired",
		"Authorization: Bearer alice", as("alice") + "\n" + as("alice"), "Cookie: session=alice", "Cookie: session=bob",
	} {
		get := d.get(header)
		head := Send(t, d.addr, Request("HEAD", "/door", header))
		if head.Body != "" {
			t.Errorf("%s: HEAD has a body: %q", header, head.Body)
		}
		get.Body = ""
		if diff := difference(get, head); diff != "" {
			t.Errorf("%s: %s", header, diff)
		}
		if e := rec.Last(t); e.Method != http.MethodHead || e.Status != head.Status {
			t.Errorf("%s: event %s %d", header, e.Method, e.Status)
		}
	}
}

// The header lines that make OPTIONS a preflight (Fetch standard).
const (
	origin  = "Origin: https://app.example"
	asksFor = "Access-Control-Request-Method: PUT"
)

// preflight: a browser sends it without credentials, so it is answered before
// anyone is asked, and by the gate.
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
		route.Methods = []string{"PUT"} // no OPTIONS of its own
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

// corsInFront: what an app's CORS middleware sets stays on every answer.
func corsInFront(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	d := &door{t: t}
	d.addr = f.Start(t, App{
		Before: []Handler{func(x Exchange) error {
			x.SetHeader("Access-Control-Allow-Origin", "https://app.example")
			x.SetHeader("Access-Control-Expose-Headers", "WWW-Authenticate")
			return nil
		}},
		Routes: []Route{d.route(Gate{Kind: "Authorize", Guard: g})},
	})
	for status, request := range map[int]string{
		204: Request("OPTIONS", "/door", origin, asksFor),
		401: Request("GET", "/door", origin),
		403: Request("GET", "/door", origin, as("bob")),
		200: Request("GET", "/door", origin, as("alice")),
		503: Request("GET", "/door", origin, as("down")),
	} {
		a := Send(t, d.addr, request)
		if a.Status != status || a.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			a.Header.Get("Access-Control-Expose-Headers") != "WWW-Authenticate" {
			t.Errorf("%s: %d %v", request, a.Status, a.Header)
		}
	}
}

// otherOptions: what is not quite a preflight is a request like any other.
func otherOptions(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	for _, header := range [][]string{
		{"Accept: */*"},
		{origin},
		{asksFor},
		{"Origin: https://a.example", "Origin: https://b.example", asksFor},
		{origin, asksFor, "Access-Control-Request-Method: GET"},
		{origin, "Access-Control-Request-Headers: authorization"},
	} {
		for status, credentials := range map[int]string{401: as("bad"), 403: as("bob"), 200: as("alice")} {
			a := Send(t, d.addr, Request("OPTIONS", "/door", append(slices.Clip(header), credentials)...))
			if a.Status != status {
				t.Errorf("OPTIONS with %q as %s: %d", header, credentials, a.Status)
			}
		}
		if a := Send(t, d.addr, Request("OPTIONS", "/door", header...)); a.Status != http.StatusUnauthorized {
			t.Errorf("anonymous OPTIONS with %q: %d", header, a.Status)
		}
	}
	get := Send(t, d.addr, Request("GET", "/door", origin, asksFor))
	refused(t, "GET with a preflight's fields", get, http.StatusUnauthorized, core.CodeAuthenticationRequired)
}

// methodDoor is a door for one unusual method.
func methodDoor(t *testing.T, f Framework, method string, gates ...Gate) *door {
	t.Helper()
	d := &door{t: t}
	route := d.route(gates...)
	route.Methods = []string{method}
	if f.RefusesMethods && method != http.MethodTrace {
		route.Methods = nil
	}
	d.addr = f.Start(t, App{Routes: []Route{route}})
	return d
}

// unknownMethods: methods outside RFC 9110 §9.3 and PATCH, and TRACE, are
// refused before any policy that does not ask for them: a "*" in it was not
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
			native := f.RefusesMethods && method != "TRACE"
			for credentials, status := range map[string]int{
				"Accept: */*": http.StatusUnauthorized, as("bad"): http.StatusUnauthorized, as("alice"): http.StatusForbidden,
			} {
				a := Send(t, d.addr, Request(method, "/door", credentials))
				if native {
					if a.Status < 400 || len(rec.Events()) > 0 {
						t.Errorf("%s: %d, %d events", method, a.Status, len(rec.Events()))
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

// literal is a policy that names methods literally.
type literal struct {
	AuthorizerFunc
	methods string
}

func (l literal) JudgesMethod(method string) bool { return strings.Contains(l.methods, method) }

// namedMethods: they are then judged like any other.
func namedMethods(t *testing.T, f Framework) {
	methods := []string{"TRACE", "PROPFIND"}
	if f.RefusesMethods {
		methods = methods[:1]
	}
	for _, method := range methods {
		for name, opts := range map[string][]core.Option{
			"policy": {core.WithAuthorizer(literal{only("alice"), "TRACE PROPFIND"})},
			"guard":  {core.WithAuthorizer(only("alice")), core.WithMethods("TRACE", "PROPFIND")},
		} {
			g, _ := guard(t, opts...)
			d := methodDoor(t, f, method, Gate{Kind: "Authorize", Guard: g})
			for credentials, status := range map[string]int{"Accept: */*": 401, as("bob"): 403, as("alice"): 200} {
				if a := Send(t, d.addr, Request(method, "/door", credentials)); a.Status != status {
					t.Errorf("%s names %s: %s: %d", name, method, credentials, a.Status)
				}
			}
		}
	}
	g, _ := guard(t, core.WithAuthorizer(literal{only("alice"), "PROPFIND"}))
	d := methodDoor(t, f, "TRACE", Gate{Kind: "Authorize", Guard: g})
	if a := Send(t, d.addr, Request("TRACE", "/door", as("alice"))); a.Status != http.StatusForbidden {
		t.Errorf("a method that the policy does not name: %d", a.Status)
	}
}
