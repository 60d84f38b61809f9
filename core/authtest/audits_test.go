package authtest

import (
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core/probe"
)

var auditSemantics = []testCase{
	{"an application that is right, with nothing said of users", auditAnonymous},
	{"what the test forgets", auditForgotten},
}

// patchRoute is the place of PATCH in auditedRoutes.
const patchRoute = 5

func auditAnonymous(t *testing.T, f Framework) {
	if _, findings := auditOf(t, f, auditedRoutes(t), []AuditOption{WithPublic("/open")}); len(findings) > 0 {
		t.Errorf("found %+v", findings)
	}
}

// auditForgotten is about what stands in the lists and not in the answers.
func auditForgotten(t *testing.T, f Framework) {
	g, _ := guard(t)
	fresh := Route{Pattern: "/fresh", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Authenticate", Guard: g}}, Handler: ok}
	lost := Route{Pattern: "/lost", Methods: []string{"GET"}, Handler: func(x Exchange) error { return x.Text(404, "not there") }}
	all := auditedRoutes(t)
	for _, c := range []struct {
		name, code, method, path string
		routes                   []Route
		opts                     []AuditOption
	}{
		{"a new route", AuditNoExpectation, "GET", "/fresh", slices.Concat(all, []Route{fresh}), auditOptions()},
		{"a route without a rule", AuditNoRule, "GET", "/fresh", slices.Concat(all, []Route{fresh}), auditOptions()},
		{"PUT without PATCH", AuditPutWithoutPatch, "PUT", "/reports/:id", all[:patchRoute], auditOptions()},
		{"PUT alone", "", "", "", all[:patchRoute], auditOptions(WithPutOnly("/reports/:id"))},
		{"a route that was renamed", AuditNoRoute, "", "/old", all, auditOptions(WithMay("/old", "alice"))},
		{"a route that does not answer", AuditNotAsked, "GET", "/lost", slices.Concat(all, []Route{lost}), auditOptions(WithMay("/lost", "alice"))},
		{"credentials that were revoked", probe.FaultBadCredentialsAccepted, "GET", "/me", all, auditOptions(WithBadCredentials("mallory", as("mallory")))},
		{"credentials that are refused", "", "", "", all, auditOptions(WithBadCredentials("bad", as("bad")))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, findings := auditOf(t, f, c.routes, c.opts)
			if c.code == "" && len(findings) > 0 || c.code != "" && !slices.ContainsFunc(findings, func(found probe.Finding) bool {
				return found.Code == c.code && found.Method == c.method && (found.Path == c.path || found.Path == f.pattern(c.path))
			}) {
				t.Errorf("want %q of %s %s, found %s", c.code, c.method, c.path, summary(findings))
			}
		})
	}
}
