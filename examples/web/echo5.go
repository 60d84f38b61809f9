package main

import (
	"net/http"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/sallyport-go/sallyport/echoauth/echov5"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

func echo5Server(s *site) demo.Server { return httpServer(echo5Routes(s)) }

func echo5Routes(s *site) http.Handler {
	app := echo.New()
	app.Use(middleware.Recover())

	// For everybody.
	app.Match(read, "/", echoauth.Serve(s.Home))
	app.Match(read, "/robots.txt", echoauth.Serve(s.Robots))
	app.Match(read, "/static/:version/:file", echoauth.Serve(s.Static))
	app.RouteNotFound("/*", echoauth.Serve(s.NotFound))

	// Signing in and out.
	app.Match(read, "/login", echoauth.Serve(s.SignInPage))
	app.POST("/login", func(c *echo.Context) error { return echoauth.Serve(s.SignIn(c.Request().PostFormValue))(c) })
	app.POST("/api/login", func(c *echo.Context) error { return echoauth.Serve(s.SignInByScript(c.Request().PostFormValue))(c) })
	app.POST("/logout", echoauth.Serve(s.sessions.LogoutEndpoint()))

	// Behind both gates.
	gates := echoauth.Authorize(s.guard)
	app.Match(read, "/app", echoauth.Serve(s.App), gates)
	app.Match(read, "/app/members", echoauth.Serve(s.App), gates)
	app.Match(read, "/app/reports/:id", echoauth.Serve(s.App), gates)
	app.Match(read, "/admin", echoauth.Serve(s.Admin), gates)
	app.Match(read, "/api/me", echoauth.Serve(s.Me), gates)
	app.Match(read, "/api/summary", echoauth.Serve(s.Summary), gates)
	app.Match(read, "/api/members", echoauth.Serve(s.Members), gates)
	app.Match(read, "/api/reports", echoauth.Serve(s.Reports), gates)
	app.Match(read, "/api/reports/:id", echoauth.Serve(s.Report), gates)
	app.POST("/api/reports/:id/approval", echoauth.Serve(s.Approve), gates)
	return app
}
