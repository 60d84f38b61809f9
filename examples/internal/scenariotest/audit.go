package scenariotest

import (
	"encoding/base64"
	"path/filepath"
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

// cheap has the passwords of the demo users with the cheapest hashes, since most
// of the time would go into those.
const cheap = `alice:$2a$04$KMG3X2IDyQ5bTD7rSICbE.C/ryCYe/i5IN6Vqsk6UciGCZpCJWC5K
erin:$2a$04$7saTdpeW3dUfRsnpV7Utd.wOhhUoPIByBwrhIgIkpUMQJbAk9YfI6
victor:$2a$04$wQg3cW1mnREJFu6wj/J1qutX0sC.2sBlbLKpG8kI.tNh295KlwJN6
sam:$2a$04$kZ6yQXNPBdRfSsOSgecdu.u2XILTdCCDCdssJkQomuTCMR1WiAk1C
pam:$2a$04$.VGPv9.3Uk7oI0WVYEe57.eImsUmNxGCszdAdb.lfl.rkzW0iT5Eu
`

// audit asks every route as all demo users, who sign in with their passwords:
// those say nothing of regions and scopes.
func audit(t *testing.T, build Build) {
	users := filepath.Join(t.TempDir(), "users")
	write(t, users, cheap)
	url, _ := Start(t, build, "-addr", "127.0.0.1:0", "-users", users)
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
