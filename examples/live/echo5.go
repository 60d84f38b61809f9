package main

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
)

// routesEcho5 are the routes on Echo v5.
func (s *site) routesEcho5() http.Handler {
	app, signedIn := echo.New(), echoauth.Authenticate(s.live)
	app.POST("/login", echoauth.Serve(s.sessions.LoginEndpoint(s.users)))
	app.POST("/logout", echoauth.Serve(s.sessions.LogoutEndpoint()))
	app.GET("/talk", echo.WrapHandler(http.HandlerFunc(s.talk)), signedIn)
	app.GET("/events", func(c *echo.Context) error {
		s.events(c.Request().Context(), sending(c.Response()))
		return nil
	}, signedIn)
	return app
}
