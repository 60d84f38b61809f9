package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/ginauth"
)

// routesGin are the routes on Gin.
func (s *site) routesGin() http.Handler {
	app := gin.New()
	app.POST("/login", ginauth.Serve(s.sessions.LoginEndpoint(s.passwords)))
	app.POST("/logout", ginauth.Serve(s.sessions.LogoutEndpoint()))

	private := app.Group("/", ginauth.Authenticate(s.guard))
	private.GET("/me", func(c *gin.Context) { c.String(http.StatusOK, "%s", ginauth.Principal(c).ID()) })
	private.POST("/logout/everywhere", func(c *gin.Context) {
		ginauth.Serve(s.signOutEverywhere(ginauth.Principal(c)))(c)
	})
	return app
}
