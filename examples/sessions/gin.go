package sessions

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/ginauth"
)

// Gin is the site on Gin.
func (s *Site) Gin() http.Handler {
	app := gin.New()
	app.POST("/login", func(c *gin.Context) {
		fields, ok, err := s.SignIn(c.Request.Context(), ginauth.Request(c), c.PostForm("user"), c.PostForm("password"))
		switch {
		case err != nil:
			ginauth.Serve(s.Sessions.Refuse(err))(c)
		case !ok:
			c.String(http.StatusUnprocessableEntity, wrong)
		default:
			ginauth.AddFields(c, fields...)
			c.Redirect(http.StatusSeeOther, "/me")
		}
	})
	app.POST("/logout", ginauth.Serve(s.Sessions.LogoutEndpoint()))

	private := app.Group("/", ginauth.Authenticate(s.Guard))
	private.GET("/me", func(c *gin.Context) { c.String(http.StatusOK, "%s", ginauth.Principal(c).ID()) })
	private.POST("/logout/everywhere", func(c *gin.Context) {
		fields, err := s.SignOutEverywhere(c.Request.Context(), ginauth.Request(c), ginauth.Principal(c))
		if err != nil {
			ginauth.Serve(s.Sessions.Refuse(err))(c)
			return
		}
		ginauth.AddFields(c, fields...)
		c.Status(http.StatusNoContent)
	})
	return app
}
