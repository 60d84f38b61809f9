//go:build !race

package fiberauth_test

import (
	"context"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// TestAllocationBudgets: what both gates cost a request beyond the same app
// without them, on the route and around the app, where the route is resolved.
// The race detector empties pools at random, so it is not among its tests.
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
	gates := []fiber.Handler{fiberauth.Authenticate(g), fiberauth.Authorize(g)}
	plain, onRoute, onApp := newApp(nil, nil), newApp(nil, gates), newApp(gates, nil)
	for _, c := range []struct {
		name, credentials string
		app               fasthttp.RequestHandler
		status            int
		budget            float64
	}{
		{"allow on the route", "Bearer alice", onRoute, fiber.StatusNoContent, 19},
		{"401 on the route", "", onRoute, fiber.StatusUnauthorized, 13},
		{"403 on the route", "Bearer bob", onRoute, fiber.StatusForbidden, 28},
		{"allow around the app", "Bearer alice", onApp, fiber.StatusNoContent, 19},
		{"401 around the app", "", onApp, fiber.StatusUnauthorized, 13},
		{"403 around the app", "Bearer bob", onApp, fiber.StatusForbidden, 28},
	} {
		cost := allocations(t, c.app, c.credentials, c.status) - allocations(t, plain, c.credentials, fiber.StatusNoContent)
		t.Logf("%s: %v allocations", c.name, cost)
		if cost > c.budget {
			t.Errorf("%s: %v allocations, budget %v", c.name, cost, c.budget)
		}
	}
}

func newApp(around, onRoute []fiber.Handler) fasthttp.RequestHandler {
	app := fiber.New()
	for _, gate := range around {
		app.Use(gate)
	}
	app.Get("/things/:id", append(onRoute[:len(onRoute):len(onRoute)], func(c *fiber.Ctx) error {
		c.Status(fiber.StatusNoContent)
		return nil
	})...)
	return app.Handler()
}

// allocations is how many a request costs an app that answers with status.
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
