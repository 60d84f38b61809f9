package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/ginauth"
)

func ginServer(s *site) demo.Server { return httpServer(ginRoutes(s)) }

func ginRoutes(s *site) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	app := gin.New()
	app.Use(gin.Recovery())

	// For everybody.
	app.Match(read, "/", ginauth.Serve(s.Home))
	app.Match(read, "/robots.txt", ginauth.Serve(s.Robots))
	app.Match(read, "/static/:version/:file", ginauth.Serve(s.Static))
	app.NoRoute(ginauth.Serve(s.NotFound))

	// Signing in and out.
	app.Match(read, "/login", ginauth.Serve(s.SignInPage))
	app.POST("/login", func(c *gin.Context) { ginauth.Serve(s.SignIn(c.PostForm))(c) })
	app.POST("/api/login", func(c *gin.Context) { ginauth.Serve(s.SignInByScript(c.PostForm))(c) })
	app.POST("/logout", ginauth.Serve(s.sessions.LogoutEndpoint()))

	// Behind both gates.
	private := app.Group("/", ginauth.Authorize(s.guard))
	private.Match(read, "/app", ginauth.Serve(s.App))
	private.Match(read, "/app/members", ginauth.Serve(s.App))
	private.Match(read, "/app/reports/:id", ginauth.Serve(s.App))
	private.Match(read, "/admin", ginauth.Serve(s.Admin))
	private.Match(read, "/api/me", ginauth.Serve(s.Me))
	private.Match(read, "/api/summary", ginauth.Serve(s.Summary))
	private.Match(read, "/api/members", ginauth.Serve(s.Members))
	private.Match(read, "/api/reports", ginauth.Serve(s.Reports))
	private.Match(read, "/api/reports/:id", ginauth.Serve(s.Report))
	private.POST("/api/reports/:id/approval", ginauth.Serve(s.Approve))
	return app
}
