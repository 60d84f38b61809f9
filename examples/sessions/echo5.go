package main

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// routesEcho5 are the routes on Echo v5.
func (s *site) routesEcho5() http.Handler {
	app := echo.New()
	app.POST("/login", echoauth.Serve(s.sessions.LoginEndpoint(s.passwords)))
	app.POST("/logout", echoauth.Serve(s.sessions.LogoutEndpoint()))

	signedIn := echoauth.Authenticate(s.guard)
	app.GET("/me", func(c *echo.Context) error {
		return c.String(http.StatusOK, echoauth.Principal(c).ID())
	}, signedIn)
	app.POST("/logout/everywhere", func(c *echo.Context) error {
		return echoauth.Serve(s.signOutEverywhere(echoauth.Principal(c)))(c)
	}, signedIn)
	return app
}
