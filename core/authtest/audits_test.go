package authtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/sallyport-go/sallyport/core"
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

// auditForgotten: an audit finds where its options and the routes of the app disagree.
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

// TestAuditLogins: a login that reveals which accounts exist is found; a correct one has no
// finding.
func TestAuditLogins(t *testing.T) {
	for _, tells := range []bool{false, true} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				w.Header().Set("WWW-Authenticate", `Name realm="test"`)
				w.Header().Set("Cache-Control", "no-store")
				w.WriteHeader(http.StatusUnauthorized)
				if tells && r.FormValue("username") == "alice" {
					_, _ = io.WriteString(w, "try again")
				}
			}
		}))
		defer srv.Close()
		target := Target{URL: srv.URL, Routes: []core.RouteInfo{{Method: "GET", Pattern: "/open"}}}
		_, findings, err := runAudit(t, target, []AuditOption{WithPublic("/open"), WithSignIn("POST /login", "", "alice")})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(findings, func(f probe.Finding) bool {
			return f.Code == probe.FaultUserEnumeration && f.Method == "POST" && f.Path == "/login"
		})
		if found != tells || len(findings) > 0 != tells {
			t.Errorf("tells %t: found %s", tells, summary(findings))
		}
	}
	for _, opt := range []AuditOption{WithSignIn("/login", "", "alice"), WithSignIn("POST /login", "")} {
		if _, _, err := runAudit(t, Target{URL: "http://127.0.0.1:1", Routes: []core.RouteInfo{{}}}, []AuditOption{opt}); err == nil {
			t.Error("a login without a method, or without an account, is taken")
		}
	}
}
