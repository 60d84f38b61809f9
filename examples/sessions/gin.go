package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/ginauth"
)

// routesGin are the routes on Gin.
func (s *site) routesGin() http.Handler {
	app := gin.New()
	app.POST("/login", func(c *gin.Context) {
		fields, ok, err := s.signIn(c.Request.Context(), ginauth.Request(c), c.PostForm("user"), c.PostForm("password"))
		switch {
		case err != nil:
			ginauth.Serve(s.sessions.Refuse(err))(c)
		case !ok:
			c.String(http.StatusUnprocessableEntity, wrong)
		default:
			ginauth.AddFields(c, fields...)
			c.Redirect(http.StatusSeeOther, "/me")
		}
	})
	app.POST("/logout", ginauth.Serve(s.sessions.LogoutEndpoint()))

	private := app.Group("/", ginauth.Authenticate(s.guard))
	private.GET("/me", func(c *gin.Context) { c.String(http.StatusOK, "%s", ginauth.Principal(c).ID()) })
	private.POST("/logout/everywhere", func(c *gin.Context) {
		ginauth.Serve(s.signOutEverywhere(ginauth.Principal(c)))(c)
	})
	return app
}
