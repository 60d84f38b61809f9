package casbinrules

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// With the tenant from the path, one policy for all tenants lets users in where they have a
// role, with their roles in that tenant.
func TestTenantOfTheRequest(t *testing.T) {
	rules := open(t, RBACWithTenants(), `p, editor, acme, /t/:tenant/reports, GET
p, editor, globex, /t/:tenant/reports, GET
p, viewer, globex, /t/:tenant, GET
g, erin, editor, acme
g, gus, editor, globex
g, ida, editor, acme
g, ida, viewer, globex
`)
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}}, core.WithAuthorizer(rules),
		core.WithTenant(core.TenantFromPath("/t/:tenant")), core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("/t/{tenant}", ok)
	mux.Handle("/t/{tenant}/reports", ok)
	mux.Handle("/reports", ok)
	app := httpauth.Authorize(g)(mux) // around the router: the path is known there
	for _, c := range []struct {
		who, path string
		want      int
	}{
		{"erin", "/t/acme/reports", 204}, {"erin", "/t/globex/reports", 403}, {"erin", "/t/initech/reports", 403}, {"erin", "/reports", 403},
		{"gus", "/t/acme/reports", 403}, {"gus", "/t/globex/reports", 204},
		{"ida", "/t/acme/reports", 204}, {"ida", "/t/globex/reports", 403}, {"ida", "/t/globex", 204}, {"ida", "/t/acme", 403},
		{"mallory", "/t/acme/reports", 403},
	} {
		r, w := httptest.NewRequest(http.MethodGet, c.path, nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Name "+c.who)
		if app.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s %s: %d %s, want %d", c.who, c.path, w.Code, w.Body, c.want)
		}
	}
}
