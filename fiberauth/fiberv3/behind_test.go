package fiberauth_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"

	"github.com/sallyport-go/sallyport/core"
)

// Middleware behind a gate does not hide the route's pattern, nor does a prefix that ends
// within a segment hide its path: a rule about one route, or one path, is enough.
func TestMiddlewareBehindAGate(t *testing.T) {
	j := new(judge)
	gate := j.gate(t)
	app := fiber.New()
	app.Use("/*", gate, passOn)
	app.Use(passOn)
	app.Use("/API", passOn)
	app.Use("/apidocs", passOn)
	show := func(c fiber.Ctx) error { return c.SendString(c.Params("id")) }
	app.Get("/api/things/:id", passOn, show)
	app.Get("/apidocs/:id", show)
	app.Get("/a/:id/b/:id", show)
	app.Get("/c/:id/d/:ID", show)
	app.Group("/g", passOn).Get("/:id?", show)
	app.Use("/apidocs", func(fiber.Ctx) error { return fiber.ErrNotFound })
	app.Use(static.New(t.TempDir()))
	app.Use(func(fiber.Ctx) error { return fiber.ErrNotFound })
	h := app.Handler()
	for _, tt := range []struct{ path, route, judged, id string }{
		{"/apidocs/7", "/apidocs/:id", "/apidocs/7", "7"},
		{"/a/1/b/2", "/a/:id/b/:id", "/a/1/b/2", "1"},
		{"/c/1/d/2", "/c/:id/d/:ID", "/c/1/d/2", "1"},
		{"/g/7", "/g/:id?", "/g/7", "7"},
	} {
		for by, allows := range map[string]func(core.Resource) bool{
			"route": func(r core.Resource) bool { return r.Route == tt.route },
			"path":  func(r core.Resource) bool { return r.Path == tt.judged },
		} {
			j.allows = allows
			if code, body := ask(h, tt.path); code != http.StatusOK || body != tt.id {
				t.Errorf("GET %s, allowed by %s: %d %.60q", tt.path, by, code, body)
			}
		}
	}
}
