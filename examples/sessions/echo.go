package sessions

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/echoauth"
)

// Echo is the site on Echo.
func (s *Site) Echo() http.Handler {
	app := echo.New()
	app.POST("/login", func(c echo.Context) error {
		fields, ok, err := s.SignIn(c.Request().Context(), echoauth.Request(c), c.FormValue("user"), c.FormValue("password"))
		switch {
		case err != nil:
			return echoauth.Serve(s.Sessions.Refuse(err))(c)
		case !ok:
			return c.String(http.StatusUnprocessableEntity, wrong)
		}
		echoauth.AddFields(c, fields...)
		return c.Redirect(http.StatusSeeOther, "/me")
	})
	app.POST("/logout", echoauth.Serve(s.Sessions.LogoutEndpoint()))

	signedIn := echoauth.Authenticate(s.Guard)
	app.GET("/me", func(c echo.Context) error {
		return c.String(http.StatusOK, echoauth.Principal(c).ID())
	}, signedIn)
	app.POST("/logout/everywhere", func(c echo.Context) error {
		fields, err := s.SignOutEverywhere(c.Request().Context(), echoauth.Request(c), echoauth.Principal(c))
		if err != nil {
			return echoauth.Serve(s.Sessions.Refuse(err))(c)
		}
		echoauth.AddFields(c, fields...)
		return c.NoContent(http.StatusNoContent)
	}, signedIn)
	return app
}
