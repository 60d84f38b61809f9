package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// routesFiber3 are the routes on Fiber v3.
func (s *site) routesFiber3() *fiber.App {
	app := fiber.New()
	app.Post("/login", fiberauth.Serve(s.sessions.LoginEndpoint(s.passwords)))
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))

	signedIn := fiberauth.Authenticate(s.guard)
	app.Get("/me", signedIn, func(c fiber.Ctx) error { return c.SendString(fiberauth.Principal(c).ID()) })
	app.Post("/logout/everywhere", signedIn, func(c fiber.Ctx) error {
		return fiberauth.Serve(s.signOutEverywhere(fiberauth.Principal(c)))(c)
	})
	return app
}

// fiber3Server gives Fiber's server the method names of net/http's.
type fiber3Server struct{ app *fiber.App }

func (f fiber3Server) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }

func (f fiber3Server) Serve(l net.Listener) error {
	return f.app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
}
