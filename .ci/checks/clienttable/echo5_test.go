package clienttable

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func mountEcho5(t *testing.T, routes []route) http.Handler {
	app := echo.New()
	var notFound echo.HandlerFunc = func(c *echo.Context) error {
		c.Response().Header().Set("Cache-Control", noStore)
		return c.String(http.StatusNotFound, unknown)
	}
	app.RouteNotFound("/*", notFound)
	for _, r := range routes {
		var gates []echo.MiddlewareFunc
		if r.guard != nil {
			gates = append(gates, echoauth.Require(r.gates(t, notFound), r.rule))
		}
		app.Any(r.path, echoauth.Serve(r.serve), gates...)
	}
	return app
}
