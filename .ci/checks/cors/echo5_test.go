package cors

import (
	"net"
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func serveEcho5(t *testing.T, l net.Listener, g *core.Guard, outside bool) {
	app := echo.New()
	own := middleware.CORSWithConfig(middleware.CORSConfig{AllowOrigins: []string{front}, AllowHeaders: []string{"Authorization"}, AllowCredentials: true})
	app.Use(ordered(outside, own, echoauth.Require(g, onlyAlice))...)
	app.GET("/data", func(c *echo.Context) error { return c.String(http.StatusOK, "data") })
	authtest.ServeHTTP(t, l, app)
}
