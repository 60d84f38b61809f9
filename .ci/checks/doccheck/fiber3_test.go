package doccheck

import (
	"net/http"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func fiber3App(where string, g *core.Guard) ask {
	gate := fiberauth.Authorize(g)
	app := fiber.New()
	if where == "app" {
		app.Use(gate)
	}
	group := app.Group("/api")
	if where == "group" {
		group.Use(gate)
	}
	show := func(c fiber.Ctx) error { return c.SendStatus(http.StatusOK) }
	if where == "route" {
		group.Get("/x", gate, show)
	} else {
		group.Get("/x", show)
	}
	return func(r *http.Request) int {
		resp, err := app.Test(r, fiber.TestConfig{})
		if err != nil {
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
}
