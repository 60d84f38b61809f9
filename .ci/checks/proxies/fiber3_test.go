package proxies_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func serveFiber3(t testing.TB, pages []page) string {
	app := fiber.New()
	var notFound fiber.Handler = func(c fiber.Ctx) error {
		c.Set("Cache-Control", "no-store")
		return c.Status(http.StatusNotFound).SendString("nothing here")
	}
	for _, p := range pages {
		if p.guard != nil {
			app.All(p.path, fiberauth.Authorize(p.gates(t, notFound)), fiberauth.Serve(p.serve))
		} else {
			app.All(p.path, fiberauth.Serve(p.serve))
		}
	}
	app.Use(notFound)
	return serving.Fiber3(t, app)
}
