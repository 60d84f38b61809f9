package fiberauth_test

import (
	"slices"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// Routes returns what the application registered, including groups and mounted sub-apps,
// before the app is started; mounts by Use are not included.
func TestRoutes(t *testing.T) {
	app, sub := fiber.New(), fiber.New()
	none := func(fiber.Ctx) error { return nil }
	app.Use("/static", none)
	app.Post("/a/:id", none)
	sub.Put("/b/*", none)
	app.Use("/g", sub)
	got := fiberauth.Routes(app)
	for _, want := range []core.RouteInfo{{Method: "POST", Pattern: "/a/:id"}, {Method: "PUT", Pattern: "/g/b/*"}} {
		if !slices.Contains(got, want) {
			t.Errorf("%v is not among %v", want, got)
		}
	}
	if len(got) != 2 {
		t.Errorf("routes %v", got)
	}
}
