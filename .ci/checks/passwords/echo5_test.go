package passwords_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func startEcho5(t testing.TB, g *core.Guard) string {
	e := echo.New()
	e.GET("/door", func(c *echo.Context) error { return c.String(http.StatusOK, echoauth.Principal(c).ID()) }, echoauth.Authenticate(g))
	return serve(t, e)
}
