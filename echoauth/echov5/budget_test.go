//go:build !race

package echoauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// TestAllocationBudgets: allocations of both gates, beyond those of the same app without
// them.
func TestAllocationBudgets(t *testing.T) {
	g := authtest.BudgetGuard(t)
	newApp := func(gates ...echo.MiddlewareFunc) http.Handler {
		app := echo.New()
		app.GET("/things/:id", func(c *echo.Context) error { return c.NoContent(http.StatusNoContent) }, gates...)
		return app
	}
	guarded, plain := newApp(echoauth.Authenticate(g), echoauth.Authorize(g)), newApp()
	authtest.CheckBudgets(t, []authtest.Budget{
		{Name: "allow", Credentials: "Bearer alice", Status: http.StatusNoContent, Allocations: 3},
		{Name: "401", Status: http.StatusUnauthorized, Allocations: 1},
		{Name: "403", Credentials: "Bearer bob", Status: http.StatusForbidden, Allocations: 3},
	}, func(b authtest.Budget) float64 {
		return authtest.HTTPAllocations(t, guarded, "/things/7", b.Credentials, b.Status) -
			authtest.HTTPAllocations(t, plain, "/things/7", b.Credentials, http.StatusNoContent)
	})
}

// TestMethodIsReadOnce: Echo copies the matched route with its parameters at each request
// for it, and rules ask for the method again.
func TestMethodIsReadOnce(t *testing.T) {
	app := echo.New()
	app.GET("/things/:id", func(c *echo.Context) error {
		r := echoauth.Request(c)
		if got := r.Method(); got != http.MethodGet {
			t.Errorf("method %q", got)
		}
		if n := testing.AllocsPerRun(100, func() { r.Method() }); n > 0 {
			t.Errorf("%v allocations", n)
		}
		return c.NoContent(http.StatusNoContent)
	})
	app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/things/7", nil))
}
