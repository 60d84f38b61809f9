package main

import (
	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

func main() {
	app := echo.New()
	app.Use(echoauth.Authenticate(newGuard()))
	app.GET("/me", func(c *echo.Context) error { return c.String(200, echoauth.Principal(c).ID()) })
	panic(app.Start("127.0.0.1:8080"))
}
