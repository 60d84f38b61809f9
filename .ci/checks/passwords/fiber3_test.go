package passwords_test

import (
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func startFiber3(t testing.TB, g *core.Guard) string {
	t.Helper()
	app := fiber.New()
	app.Get("/door", fiberauth.Authenticate(g), func(c fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	return serving.Fiber3(t, app)
}
