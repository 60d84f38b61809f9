package fiberauth_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// TestPrincipalInEveryContext: framework-independent code finds the principal in each kind
// of context of Fiber v3, and none if there is none.
func TestPrincipalInEveryContext(t *testing.T) {
	g := authtest.MiddlewareGuard(t)
	who := func(ctx context.Context) string {
		if p, ok := core.PrincipalFrom(ctx); ok {
			return p.ID()
		}
		return "nobody"
	}
	handlers := map[string]any{
		"/context": func(c fiber.Ctx) error { return c.SendString(who(c.Context())) },
		"/itself":  func(c fiber.Ctx) error { return c.SendString(who(c)) },
		"/derived": func(c fiber.Ctx) error {
			ctx, cancel := context.WithCancel(c)
			defer cancel()
			return c.SendString(who(ctx))
		},
		"/fasthttp": func(c fiber.Ctx) error { return c.SendString(who(c.RequestCtx())) },
		"/nethttp":  func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, who(r.Context())) },
		"/checked": func(c fiber.Ctx) error {
			if err := fiberauth.Check(c, g, authtest.MiddlewareRule()); err != nil {
				return err
			}
			return c.SendString(who(c))
		},
	}
	app := fiber.New()
	gates := map[string][]fiber.Handler{
		"/optional": {fiberauth.Optional(g)}, "/both": {fiberauth.Optional(g), fiberauth.Authorize(g)}, "/none": {passOn},
	}
	for kind, of := range gates {
		for path, h := range handlers {
			app.Get(kind+path, of[0], append(anys(of[1:]), h)...)
		}
	}
	handler := app.Handler()
	for kind := range gates {
		for path := range handlers {
			want := "alice"
			if kind == "/none" && path != "/checked" {
				want = "nobody"
			}
			if code, body := ask(handler, kind+path); code != http.StatusOK || body != want {
				t.Errorf("%s%s: %d %.40q, want %q", kind, path, code, body, want)
			}
		}
	}
}
