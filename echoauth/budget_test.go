//go:build !race

package echoauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/echoauth"
)

// TestAllocationBudgets: what both gates cost a request beyond the same app
// without them. The race detector empties pools at random, so it is not among
// its tests.
func TestAllocationBudgets(t *testing.T) {
	scheme, err := bearer.New("api", known(t, "alice", "bob"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})),
		core.WithAuthorizer(authtest.AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
			return core.Decision{Allowed: p.ID() == "alice"}, nil
		})))
	if err != nil {
		t.Fatal(err)
	}
	guarded, plain := newApp(echoauth.Authenticate(g), echoauth.Authorize(g)), newApp()
	for _, c := range []struct {
		name, credentials string
		status            int
		budget            float64
	}{
		{"allow", "Bearer alice", http.StatusNoContent, 7},
		{"401", "", http.StatusUnauthorized, 15},
		{"403", "Bearer bob", http.StatusForbidden, 19},
	} {
		r := httptest.NewRequest(http.MethodGet, "/things/7", nil)
		if c.credentials != "" {
			r.Header.Set("Authorization", c.credentials)
		}
		cost := allocations(t, guarded, r, c.status) - allocations(t, plain, r, http.StatusNoContent)
		t.Logf("%s: %v allocations", c.name, cost)
		if cost > c.budget {
			t.Errorf("%s: %v allocations, budget %v", c.name, cost, c.budget)
		}
	}
}

func newApp(gates ...echo.MiddlewareFunc) http.Handler {
	app := echo.New()
	app.GET("/things/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, gates...)
	return app
}

// allocations is how many a request costs an app that answers with status.
func allocations(t *testing.T, app http.Handler, r *http.Request, status int) float64 {
	t.Helper()
	w := &discard{header: http.Header{}}
	n := testing.AllocsPerRun(500, func() {
		clear(w.header)
		app.ServeHTTP(w, r)
	})
	if w.status != status {
		t.Errorf("status %d, want %d", w.status, status)
	}
	return n
}

// discard is a response that costs nothing.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// verifier knows principals by their tokens.
type verifier map[string]*core.Principal

func (v verifier) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	return v[token], nil
}

func known(t *testing.T, ids ...string) verifier {
	t.Helper()
	v := verifier{}
	for _, id := range ids {
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: id, Scheme: "Bearer"})
		if err != nil {
			t.Fatal(err)
		}
		v[id] = p
	}
	return v
}
