//go:build !race

package echoauth_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

// TestAllocationBudgets: allocations of both gates, beyond those of the same app without
// them.
func TestAllocationBudgets(t *testing.T) {
	g := authtest.BudgetGuard(t)
	newApp := func(gates ...echo.MiddlewareFunc) http.Handler {
		app := echo.New()
		app.GET("/things/:id", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }, gates...)
		return app
	}
	guarded, plain := newApp(echoauth.Authenticate(g), echoauth.Authorize(g)), newApp()
	authtest.CheckBudgets(t, []authtest.Budget{
		{Name: "allow", Credentials: "Bearer alice", Status: http.StatusNoContent, Allocations: 3},
		{Name: "401", Status: http.StatusUnauthorized, Allocations: 2},
		{Name: "403", Credentials: "Bearer bob", Status: http.StatusForbidden, Allocations: 3},
	}, func(b authtest.Budget) float64 {
		return authtest.HTTPAllocations(t, guarded, "/things/7", b.Credentials, b.Status) -
			authtest.HTTPAllocations(t, plain, "/things/7", b.Credentials, http.StatusNoContent)
	})
}
