//go:build !race

package ginauth_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/ginauth"
)

// TestAllocationBudgets: allocations of both gates, beyond those of the same app without
// them.
func TestAllocationBudgets(t *testing.T) {
	gin.SetMode(gin.TestMode)
	g := authtest.BudgetGuard(t)
	newApp := func(gates ...gin.HandlerFunc) http.Handler {
		app := gin.New()
		app.GET("/things/:id", append(gates, func(c *gin.Context) { c.Status(http.StatusNoContent) })...)
		return app
	}
	guarded, plain := newApp(ginauth.Authenticate(g), ginauth.Authorize(g)), newApp()
	authtest.CheckBudgets(t, []authtest.Budget{
		{Name: "allow", Credentials: "Bearer alice", Status: http.StatusNoContent, Allocations: 1},
		{Name: "401", Status: http.StatusUnauthorized, Allocations: 0},
		{Name: "403", Credentials: "Bearer bob", Status: http.StatusForbidden, Allocations: 1},
	}, func(b authtest.Budget) float64 {
		return authtest.HTTPAllocations(t, guarded, "/things/7", b.Credentials, b.Status) -
			authtest.HTTPAllocations(t, plain, "/things/7", b.Credentials, http.StatusNoContent)
	})
}
