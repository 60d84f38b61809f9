package main

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/fiberauth"
)

// routesFiber are the routes on Fiber.
func (s *site) routesFiber() *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/login", func(c *fiber.Ctx) error {
		fields, ok, err := s.signIn(c.UserContext(), fiberauth.Request(c), c.FormValue("user"), c.FormValue("password"))
		switch {
		case err != nil:
			return fiberauth.Serve(s.sessions.Refuse(err))(c)
		case !ok:
			return c.Status(http.StatusUnprocessableEntity).SendString(wrong)
		}
		fiberauth.AddFields(c, fields...)
		return c.Redirect("/me", http.StatusSeeOther)
	})
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))

	signedIn := fiberauth.Authenticate(s.guard)
	app.Get("/me", signedIn, func(c *fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	app.Post("/logout/everywhere", signedIn, func(c *fiber.Ctx) error {
		return fiberauth.Serve(s.signOutEverywhere(fiberauth.Principal(c)))(c)
	})
	return app
}
