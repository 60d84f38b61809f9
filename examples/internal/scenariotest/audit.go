package scenariotest

import (
	"encoding/base64"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// demoRoutes are those of every example server.
func demoRoutes() []core.RouteInfo {
	var routes []core.RouteInfo
	for _, rt := range []struct {
		pattern string
		methods []string
	}{
		{"/healthz", []string{"GET"}}, {"/whoami", []string{"GET"}}, {"/me", []string{"GET"}},
		{"/reports", []string{"GET", "POST"}}, {"/reports/:id", []string{"GET", "PUT", "PATCH", "DELETE"}},
		{"/files/*", []string{"GET", "POST", "PUT", "PATCH", "DELETE"}},
		{"/admin/reports", []string{"GET"}}, {"/insights", []string{"GET"}}, {"/regional", []string{"GET"}}, {"/scoped", []string{"GET"}},
		{"/notes", []string{"POST"}},
	} {
		for _, method := range rt.methods {
			routes = append(routes, core.RouteInfo{Method: method, Pattern: rt.pattern})
		}
	}
	return routes
}

// audit asks every route as all demo users, who sign in with their passwords:
// those say nothing of regions and scopes.
func audit(t *testing.T, build Build) {
	url, _ := Start(t, build, "-addr", "127.0.0.1:0")
	opts := []authtest.AuditOption{
		authtest.WithPublic("/healthz", "/whoami"),
		authtest.WithSignedIn("/me"),
		authtest.WithMay("GET /reports", "alice", "erin", "victor", "sam", "pam"),
		authtest.WithMay("POST /reports", "alice", "erin"),
		authtest.WithMay("GET /reports/:id", "alice", "erin", "victor", "sam", "pam"),
		authtest.WithMay("PUT /reports/:id", "alice", "erin"),
		authtest.WithMay("PATCH /reports/:id", "alice", "erin"),
		authtest.WithMay("DELETE /reports/:id", "alice"),
		authtest.WithMay("GET /files/*", "alice", "erin", "victor", "sam", "pam"),
		authtest.WithMay("/files/*", "alice"),
		authtest.WithMay("/admin/reports", "alice"),
		authtest.WithMay("/insights", "pam"),
		authtest.WithMay("/regional"),
		authtest.WithMay("/scoped"),
		authtest.WithMay("/notes", "alice", "erin", "victor", "pam"),
	}
	for _, name := range []string{"alice", "erin", "victor", "sam", "pam"} {
		credentials := base64.StdEncoding.EncodeToString([]byte(name + ":" + name + "-pass"))
		opts = append(opts, authtest.WithUser(name, "Authorization: Basic "+credentials))
	}
	authtest.Audit(t, authtest.Target{URL: url, Routes: demoRoutes()}, opts...)
}
