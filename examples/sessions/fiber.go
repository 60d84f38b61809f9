package main

import (
	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/fiberauth"
)

// routesFiber are the routes on Fiber.
func (s *site) routesFiber() *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/login", fiberauth.Serve(s.sessions.LoginEndpoint(s.passwords)))
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))

	signedIn := fiberauth.Authenticate(s.guard)
	app.Get("/me", signedIn, func(c *fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	app.Post("/logout/everywhere", signedIn, func(c *fiber.Ctx) error {
		return fiberauth.Serve(s.signOutEverywhere(fiberauth.Principal(c)))(c)
	})
	return app
}
