package authtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var methodSemantics = []testCase{
	{"A17 CORS in front of the gates", corsInFront},
	{"A17 every other OPTIONS is authenticated", otherOptions},
	{"a policy or a guard may name unknown methods", namedMethods},
}

// corsInFront: every answer keeps the fields that the app's CORS middleware sets.
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

// otherOptions: an OPTIONS request that is not a preflight is a request like any other.
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

// literal is a policy that names methods literally.
type literal struct {
	AuthorizerFunc
	methods string
}

func (l literal) JudgesMethod(method string) bool { return strings.Contains(l.methods, method) }

// namedMethods: methods that the policy names are decided like any other.
func namedMethods(t *testing.T, f Framework) {
	for _, method := range []string{"TRACE", "PROPFIND"} {
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
