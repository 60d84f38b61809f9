package authtest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
)

var bodySemantics = []testCase{
	{"invariant 6 401 and 403 say different things", distinctBodies},
	{"invariant 6 no answer in any format tells a cause, a role or a rule", genericFormats},
	{"A23 content negotiation", negotiation},
	{"a rule may tell a code and a message", publicMessage},
	{"a responder cannot turn a denial into a success", responderStatus},
}

// negotiation: RFC 9110 §12.5.1; if no format is acceptable, the answer is not 406.
func negotiation(t *testing.T, f Framework) {
	const problem, plain, text = "application/problem+json", "application/json", "text/plain; charset=utf-8"
	g, _ := guard(t, core.WithAuthorizer(only("alice")),
		core.WithResponder(respond.Negotiate(respond.Problem(), respond.JSON(), respond.Text())))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	for accept, want := range map[string]string{
		"":                 problem,
		"*/*":              problem,
		"application/*":    problem,
		"text/plain":       text,
		"text/*":           text,
		"TEXT/PLAIN":       text,
		"application/json": plain,
		"image/png":        problem,
		"text/plain;q=0":   problem,
		"*/*;q=0":          problem,
		"text/plain, application/problem+json;q=0.9":                    text,
		"text/plain;q=0.5, application/json;q=0.8":                      plain,
		"application/problem+json;q=0, application/json;q=0, */*;q=0.1": text,
		"\"broken": problem,
	} {
		for header, status := range map[string]int{
			"X-None: 1": http.StatusUnauthorized, as("bob"): http.StatusForbidden, as("down"): http.StatusServiceUnavailable,
		} {
			a := d.get("Accept: "+accept, header)
			if _, err := a.challenges(); err != nil || a.Status != status {
				t.Errorf("Accept %q, %s: %d %v", accept, header, a.Status, err)
			}
			if a.Header.Get("Content-Type") != want {
				t.Errorf("Accept %q, %s: %s, want %s", accept, header, a.Header.Get("Content-Type"), want)
			}
			if got := a.vary(); got != "accept authorization" {
				t.Errorf("Accept %q, %s: Vary %q", accept, header, got)
			}
			if got := json.Valid([]byte(a.Body)); got != (a.Header.Get("Content-Type") != text) {
				t.Errorf("Accept %q: %s with body %q", accept, a.Header.Get("Content-Type"), a.Body)
			}
		}
	}
}

func genericFormats(t *testing.T, f Framework) {
	revealNothing(t, f, respond.Problem(), respond.JSON(), respond.Text(), respond.Negotiate(respond.JSON(), respond.Text()))
}

// publicMessage: a public message arrives unchanged, whatever characters it contains.
func publicMessage(t *testing.T, f Framework) {
	message := `Upgrade to "pro" <b>now</b> \ caf` + "\u00e9"
	g, _ := guard(t)
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Public("plan_required", message, rule.Role("pro"))}})
	a := d.refuses(http.StatusForbidden, "plan_required", as("bob"))
	var doc struct{ Detail string }
	if err := json.Unmarshal([]byte(a.Body), &doc); err != nil || doc.Detail != message {
		t.Errorf("%v: %q", err, doc.Detail)
	}
	d.admits("pam", as("pam pro"))
	a = d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	if strings.Contains(a.Body, "Upgrade") {
		t.Errorf("an anonymous request is told the rule's message: %s", a.Body)
	}
}

// responderFunc is a responder made of a function.
type responderFunc func(d *core.Denial) core.Response

func (f responderFunc) Respond(_ core.Request, d *core.Denial) core.Response { return f(d) }

// responderStatus: a branded page with status 200 gets the status of the denial; a redirect
// to a sign-in page and a concealing 404 are kept, without a challenge.
func responderStatus(t *testing.T, f Framework) {
	for _, c := range []struct{ says, want401, want403 int }{
		{200, 401, 403}, {0, 401, 403}, {302, 401, 403}, {403, 401, 403}, {401, 401, 403}, {503, 401, 403},
		{303, 303, 403}, {404, 404, 404},
	} {
		g, _ := guard(t, core.WithAuthorizer(only("alice")), core.WithResponder(responderFunc(func(*core.Denial) core.Response {
			return core.Response{Status: c.says, Fields: []core.Field{{Name: "X-Brand", Value: "us"}}, Body: []byte("no access")}
		})))
		d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
		for header, want := range map[string]int{"Accept: */*": c.want401, as("bob"): c.want403, as("down"): 503, as("panic"): 500} {
			a := d.get(header)
			challenged := a.Header.Get("WWW-Authenticate") != ""
			if a.Status != want || challenged != (want == 401) || a.Body != "no access" || a.Header.Get("X-Brand") != "us" ||
				a.Header.Get("Cache-Control") != "no-store" || a.vary() != "authorization" {
				t.Errorf("responder says %d, %s: %d, want %d; %v", c.says, header, a.Status, want, a.Header)
			}
		}
	}
}

// distinctBodies: code and message tell the client what to do next.
func distinctBodies(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	seen := map[string]string{}
	for header, status := range map[string]int{"Accept: */*": 401, as("bad"): 401, as("bob"): 403, as("down"): 503, as("panic"): 500} {
		a := d.get(header)
		var doc struct {
			Type, Title, Detail, Error string
			Status                     int
		}
		if err := json.Unmarshal([]byte(a.Body), &doc); err != nil {
			t.Errorf("%s: %v", header, err)
		}
		if a.Header.Get("Content-Type") != "application/problem+json" || doc.Status != status || a.Status != status ||
			doc.Title != http.StatusText(status) || doc.Detail == "" || doc.Type != "" {
			t.Errorf("%s: %d %s %s", header, a.Status, a.Header.Get("Content-Type"), a.Body)
		}
		if other, ok := seen[doc.Detail]; ok {
			t.Errorf("%s and %s are told the same", header, other)
		}
		seen[doc.Detail] = header
	}
}
