package authtest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var gateCases = map[string]func(*testing.T, Framework){
	"verdicts": verdicts,
}

// verdicts is the table of the two gates on one route each.
func verdicts(t *testing.T, f Framework) {
	policy := AuthorizerFunc(func(p *core.Principal, a core.Access) (core.Decision, error) {
		switch p.ID() {
		case "alice":
			return core.Decision{Allowed: true}, nil
		case "storeless":
			return core.Decision{Allowed: true}, http.ErrServerClosed
		case "breaker":
			panic("rule")
		}
		return core.Decision{}, nil
	})
	g, _ := guard(t, core.WithAuthorizer(policy))
	gate := func(kind string) []Gate { return []Gate{{Kind: kind, Guard: g, Rules: []core.Authorizer{policy}}} }
	methods := []string{"GET", "HEAD", "POST"}
	addr := f.Start(t, App{Routes: []Route{
		{Pattern: "/authenticate", Methods: methods, Gates: gate("Authenticate"), Handler: ok},
		{Pattern: "/optional", Methods: methods, Gates: gate("Optional"), Handler: ok},
		{Pattern: "/authorize", Methods: methods, Gates: gate("Authorize"), Handler: ok},
		{Pattern: "/require", Methods: methods, Gates: gate("Require"), Handler: ok},
	}})
	for _, c := range []struct {
		path, credentials string
		status            int
		body              string
	}{
		{"/authenticate", "", 401, ""},
		{"/authenticate", "Name bad", 401, ""},
		{"/authenticate", "Other x", 401, ""},
		{"/authenticate", "Name bob", 200, "bob"},
		{"/authenticate", "Name down", 503, ""},
		{"/authenticate", "Name panic", 500, ""},
		{"/optional", "", 200, "anonymous"},
		{"/optional", "Name bad", 401, ""},
		{"/optional", "Name bob", 200, "bob"},
		{"/authorize", "", 401, ""},
		{"/authorize", "Name bad", 401, ""},
		{"/authorize", "Name bob", 403, ""},
		{"/authorize", "Name alice", 200, "alice"},
		{"/authorize", "Name storeless", 503, ""},
		{"/authorize", "Name breaker", 500, ""},
		{"/require", "", 401, ""},
		{"/require", "Name bob", 403, ""},
		{"/require", "Name alice", 200, "alice"},
	} {
		var header []string
		if c.credentials != "" {
			header = append(header, "Authorization: "+c.credentials)
		}
		a := Send(t, addr, Request("GET", c.path, header...))
		if a.Status != c.status || c.body != "" && a.Body != c.body {
			t.Errorf("GET %s as %q: %d %q, want %d %q", c.path, c.credentials, a.Status, a.Body, c.status, c.body)
		}
		if got := len(a.Header.Values("WWW-Authenticate")) > 0; got != (c.status == 401) {
			t.Errorf("GET %s as %q: challenge %v on %d", c.path, c.credentials, got, c.status)
		}
	}
}
