package proxies_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func serveEcho5(t testing.TB, pages []page) string {
	app := echo.New()
	var notFound echo.HandlerFunc = func(c *echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.String(http.StatusNotFound, "nothing here")
	}
	app.RouteNotFound("/*", notFound)
	for _, p := range pages {
		var gates []echo.MiddlewareFunc
		if p.guard != nil {
			gates = append(gates, echoauth.Authorize(p.gates(t, notFound)))
		}
		app.Any(p.path, echoauth.Serve(p.serve), gates...)
	}
	return serve(t, app)
}
