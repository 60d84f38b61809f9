package reload_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/examples/checks/internal/serving"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func serveFiber3(t *testing.T, g *core.Guard) string {
	t.Helper()
	app := fiber.New()
	app.Get("/:room", fiberauth.Authorize(g), func(c fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
	return "http://" + serving.Fiber3(t, app)
}
