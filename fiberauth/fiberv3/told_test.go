package fiberauth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// TestErrorHandlersMeetGates: an error handler that restarts routing, as for an error
// page, reaches the gates again. It is called with a refusal once.
func TestErrorHandlersMeetGates(t *testing.T) {
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	hiding := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.DiscardHandler)), core.WithConcealment(nil))
	check := func(c fiber.Ctx) error { return fiberauth.Check(c, g, authtest.MiddlewareRule()) }
	around := func(c fiber.Ctx) error { return c.Next() }
	for name, again := range map[string]func(fiber.Ctx) error{
		"starts over": func(c fiber.Ctx) error { return c.RestartRouting() },
		"starts over elsewhere": func(c fiber.Ctx) error {
			c.Path("/error")
			return c.RestartRouting()
		},
		"goes on": func(c fiber.Ctx) error { return c.Next() },
		"asks":    check,
		"panics":  func(fiber.Ctx) error { panic(leak) },
		"fails":   func(fiber.Ctx) error { return fiber.ErrTeapot },
	} {
		for where, handlers := range map[string][]any{
			"gate":             {fiberauth.Authorize(g), around},
			"two gates":        {fiberauth.Optional(g), fiberauth.Authorize(g), around},
			"gates in a row":   {fiberauth.Authorize(g), fiberauth.Authorize(g)},
			"check":            {fiberauth.Optional(g), check},
			"check, no gate":   {check},
			"concealed check":  {fiberauth.Optional(hiding), func(c fiber.Ctx) error { return fiberauth.Check(c, hiding, authtest.MiddlewareRule()) }},
			"gate and a check": {fiberauth.Optional(g), around, fiberauth.Optional(g), check},
		} {
			var told int
			if name == "panics" && where == "check, no gate" {
				continue // Fiber calls it without a recover around
			}
			app := fiber.New(fiber.Config{ErrorHandler: func(c fiber.Ctx, _ error) error {
				if told++; told > 10 {
					t.Errorf("%s, %s: it is called endlessly", name, where)
				}
				if told > 10 || name == "panics" && told > 1 { // Fiber calls it with the panic
					return nil
				}
				return again(c)
			}})
			app.Use(recover.New())
			app.Use(handlers...)
			app.Get("/error", func(c fiber.Ctx) error { return c.SendString(leak) })
			server := httptest.NewServer(adaptor.FiberApp(app))
			defer server.Close()
			for kind, addr := range map[string]string{"fasthttp": listen(t, app), "net/http": server.Listener.Addr().String()} {
				told = 0
				a := authtest.Send(t, addr, authtest.Request("GET", "/", "Connection: close"))
				ours := kind == "fasthttp" && where != "concealed check" // or it is the error handler's answer
				if told > 2 || ours && (a.Status != http.StatusUnauthorized || a.Body == leak) {
					t.Errorf("%s, %s, %s: called %d times, %d %q", kind, name, where, told, a.Status, a.Body)
				}
			}
		}
	}
}
