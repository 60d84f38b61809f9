package authtest

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/probe"
)

var auditCases = []testCase{
	{"an application that is right", auditRight},
	{"each of the mistakes", auditMistakes},
}

// auditedRoutes is an application without mistakes: a public route, one for everyone signed
// in, and some with rules.
func auditedRoutes(t *testing.T) []Route {
	g, _ := guard(t)
	signedIn := []Gate{{Kind: "Authenticate", Guard: g}}
	rule := func(names ...string) []Gate {
		return []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{only(names...)}}}
	}
	return []Route{
		{Pattern: "/open", Methods: []string{"GET"}, Handler: ok},
		{Pattern: "/me", Methods: []string{"GET"}, Gates: signedIn, Handler: ok},
		{Pattern: "/reports", Methods: []string{"GET", "POST"}, Gates: rule("alice", "bob"), Handler: ok},
		{Pattern: "/reports/:id", Methods: []string{"GET", "DELETE"}, Gates: rule("alice"), Handler: ok},
		{Pattern: "/reports/:id", Methods: []string{"PUT"}, Gates: rule("alice"), Handler: ok},
		{Pattern: "/reports/:id", Methods: []string{"PATCH"}, Gates: rule("alice"), Handler: ok},
	}
}

func auditOptions(more ...AuditOption) []AuditOption {
	return append([]AuditOption{
		WithPublic("/open"), WithSignedIn("/me"), WithMay("/reports", "alice", "bob"), WithMay("/reports/:id", "alice"),
		WithUser("alice", as("alice")), WithUser("bob", as("bob")), WithStranger("eve", as("eve")),
	}, more...)
}

// auditOf serves routes and audits them.
func auditOf(t *testing.T, f Framework, routes []Route, opts []AuditOption) (audited, []probe.Finding) {
	t.Helper()
	var list []core.RouteInfo
	for _, rt := range routes {
		for _, m := range rt.Methods {
			list = append(list, core.RouteInfo{Method: m, Pattern: f.pattern(rt.Pattern)})
		}
	}
	a, findings, err := runAudit(t, Target{URL: "http://" + f.Start(t, App{Routes: routes}), Routes: list}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return a, findings
}

func auditRight(t *testing.T, f Framework) {
	a, findings := auditOf(t, f, auditedRoutes(t), auditOptions())
	if len(findings) > 0 {
		t.Errorf("found %+v", findings)
	}
	for _, row := range []string{"anonymous alice bob eve", "GET /open 200 200 200 200", "GET /me 401 200 200 200", "POST /reports 401 200 200 403", "PATCH /reports/1 401 200 403 403"} {
		if !strings.Contains(strings.Join(strings.Fields(a.table), " "), row) {
			t.Errorf("no %q in\n%s", row, a.table)
		}
	}
}
