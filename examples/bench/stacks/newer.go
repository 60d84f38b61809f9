package stacks

import (
	"net/http"

	"github.com/gofiber/fiber/v3"
	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	echov5 "github.com/sallyport-go/sallyport/echoauth/echov5"
	fiberv3 "github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// The newer majors of Echo and Fiber.

func ourEcho5(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return echo5App(echov5.Authorize(g)) })
}

func ourFiber3(w *World) (Caller, error) {
	return guarded(w, func(g *core.Guard) Caller { return fiber3App(fiberv3.Authorize(g)) })
}

func bareEcho5(*World) (Caller, error)  { return echo5App(), nil }
func bareFiber3(*World) (Caller, error) { return fiber3App(), nil }

func echo5App(gates ...echo.MiddlewareFunc) Caller {
	app := echo.New()
	app.GET(route, func(c *echo.Context) error { return c.NoContent(http.StatusOK) }, gates...)
	return newHTTPCaller(app)
}

func fiber3App(gates ...fiber.Handler) Caller {
	var handlers []any
	for _, gate := range gates {
		handlers = append(handlers, gate)
	}
	handlers = append(handlers, func(c fiber.Ctx) error { return c.SendStatus(fiber.StatusOK) })
	app := fiber.New()
	app.Get(route, handlers[0], handlers[1:]...)
	return newFiberCaller(app.Handler())
}
