package doccheck

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func echo5App(where string, g *core.Guard) ask {
	gate := echoauth.Authorize(g)
	app := echo.New()
	if where == "app" {
		app.Use(gate)
	}
	group := app.Group("/api")
	if where == "group" {
		group.Use(gate)
	}
	show := func(c *echo.Context) error { return c.NoContent(http.StatusOK) }
	if where == "route" {
		group.GET("/x", show, gate)
	} else {
		group.GET("/x", show)
	}
	return handle(app)
}
