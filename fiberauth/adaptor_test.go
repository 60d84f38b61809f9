package fiberauth_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth"
)

// TestServedByNetHTTP: an app that net/http serves through Fiber's adaptor also answers a
// refusal once. The adaptor reuses its request contexts.
func TestServedByNetHTTP(t *testing.T) {
	handlers := map[string]fiber.ErrorHandler{
		"Fiber's": nil, "own": func(c *fiber.Ctx, _ error) error { return c.Status(fiber.StatusTeapot).JSON("own") },
	}
	for name, m := range shipped() {
		for _, order := range []string{"inside", "outside"} {
			for who, handler := range handlers {
				t.Run(fmt.Sprintf("%s %s, %s error handler", name, order, who), func(t *testing.T) {
					app := fiber.New(fiber.Config{ErrorHandler: handler})
					addRoutes(t, app, m, order, sendSecret)
					server := httptest.NewServer(adaptor.FiberApp(app))
					defer server.Close()
					for range 2 {
						authtest.CheckMiddleware(t, server.URL)
					}
				})
			}
		}
	}
}

// TestCheckServedByNetHTTP: without a gate that repeats the answer to a refused check, the
// client gets that of the error handler.
func TestCheckServedByNetHTTP(t *testing.T) {
	g := authtest.MiddlewareGuard(t)
	app := fiber.New()
	app.Get("/", func(c *fiber.Ctx) error { return fiberauth.Check(c, g, authtest.MiddlewareRule()) })
	server := httptest.NewServer(adaptor.FiberApp(app))
	defer server.Close()
	for range 2 {
		for who, want := range map[string]int{"Accept: */*": fiber.StatusUnauthorized, "Authorization: Name bob": fiber.StatusForbidden, "Authorization: Name alice": fiber.StatusOK} {
			if a := authtest.Send(t, server.Listener.Addr().String(), authtest.Request("GET", "/", who)); a.Status != want {
				t.Errorf("%q: %d %v %s", who, a.Status, a.Header, a.Body)
			}
		}
	}
}
