package reload_test

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func echo5Handler(g *core.Guard) http.Handler {
	e := echo.New()
	e.GET("/:room", func(c *echo.Context) error { return c.NoContent(http.StatusOK) }, echoauth.Authorize(g))
	return e
}
