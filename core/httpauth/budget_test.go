//go:build !race

package httpauth_test

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// TestAllocationBudgets: what both gates cost a request beyond the same app
// without them.
func TestAllocationBudgets(t *testing.T) {
	g := authtest.BudgetGuard(t)
	newApp := func(gates ...httpauth.Middleware) http.Handler {
		var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		for _, gate := range gates {
			h = gate(h)
		}
		app := http.NewServeMux()
		app.Handle("GET /things/{id}", h)
		return app
	}
	guarded, plain := newApp(httpauth.Authorize(g), httpauth.Authenticate(g)), newApp()
	authtest.CheckBudgets(t, []authtest.Budget{
		{Name: "allow", Credentials: "Bearer alice", Status: http.StatusNoContent, Allocations: 1},
		{Name: "401", Status: http.StatusUnauthorized, Allocations: 0},
		{Name: "403", Credentials: "Bearer bob", Status: http.StatusForbidden, Allocations: 1},
	}, func(b authtest.Budget) float64 {
		return authtest.HTTPAllocations(t, guarded, "/things/7", b.Credentials, b.Status) -
			authtest.HTTPAllocations(t, plain, "/things/7", b.Credentials, http.StatusNoContent)
	})
}
