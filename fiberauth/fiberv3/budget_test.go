//go:build !race

package fiberauth_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// TestAllocationBudgets: allocations of both gates beyond those of the same app without
// them, on the route and around the app, where the route is resolved.
func TestAllocationBudgets(t *testing.T) {
	g := authtest.BudgetGuard(t)
	gates := []fiber.Handler{fiberauth.Authenticate(g), fiberauth.Authorize(g)}
	plain := newApp(nil, nil)
	for name, tt := range map[string]struct {
		app                     fasthttp.RequestHandler
		allow, missing, refused float64
	}{
		"on the route":   {newApp(nil, gates), 2, 1, 2},
		"around the app": {newApp(gates, nil), 2, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			authtest.CheckBudgets(t, []authtest.Budget{
				{Name: "allow", Credentials: "Bearer alice", Status: http.StatusNoContent, Allocations: tt.allow},
				{Name: "401", Status: http.StatusUnauthorized, Allocations: tt.missing},
				{Name: "403", Credentials: "Bearer bob", Status: http.StatusForbidden, Allocations: tt.refused},
			}, func(b authtest.Budget) float64 {
				return allocations(t, tt.app, b.Credentials, b.Status) - allocations(t, plain, b.Credentials, http.StatusNoContent)
			})
		})
	}
}

func newApp(around, onRoute []fiber.Handler) fasthttp.RequestHandler {
	app := fiber.New()
	for _, gate := range around {
		app.Use("/*", gate)
	}
	handle(app, "GET", "/things/:id", append(onRoute[:len(onRoute):len(onRoute)], func(c fiber.Ctx) error {
		c.Status(http.StatusNoContent)
		return nil
	})...)
	return app.Handler()
}

// allocations returns how many a request to an app costs that answers with status.
func allocations(t *testing.T, app fasthttp.RequestHandler, credentials string, status int) float64 {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Request.SetRequestURI("/things/7")
	if credentials != "" {
		ctx.Request.Header.Set("Authorization", credentials)
	}
	n := testing.AllocsPerRun(500, func() {
		ctx.Response.Reset()
		ctx.ResetUserValues()
		app(&ctx)
	})
	if got := ctx.Response.StatusCode(); got != status {
		t.Errorf("status %d, want %d", got, status)
	}
	return n
}
