package sessions

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/fiberauth"
)

// Fiber is the site on Fiber.
func (s *Site) Fiber() *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/login", func(c *fiber.Ctx) error {
		fields, ok, err := s.SignIn(c.UserContext(), fiberauth.Request(c), c.FormValue("user"), c.FormValue("password"))
		switch {
		case err != nil:
			return fiberauth.Serve(s.Sessions.Refuse(err))(c)
		case !ok:
			return c.Status(http.StatusUnprocessableEntity).SendString(wrong)
		}
		fiberauth.AddFields(c, fields...)
		return c.Redirect("/me", http.StatusSeeOther)
	})
	app.Post("/logout", fiberauth.Serve(s.Sessions.LogoutEndpoint()))

	signedIn := fiberauth.Authenticate(s.Guard)
	app.Get("/me", signedIn, func(c *fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	app.Post("/logout/everywhere", signedIn, func(c *fiber.Ctx) error {
		fields, err := s.SignOutEverywhere(c.UserContext(), fiberauth.Request(c), fiberauth.Principal(c))
		if err != nil {
			return fiberauth.Serve(s.Sessions.Refuse(err))(c)
		}
		fiberauth.AddFields(c, fields...)
		return c.SendStatus(http.StatusNoContent)
	})
	return app
}
