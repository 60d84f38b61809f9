package main

import (
	"bufio"
	"context"
	"net"

	"github.com/gofiber/fiber/v3"

	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

// routesFiber3 are the routes on Fiber v3. As on v2, the stream takes the context,
// and not c.
func (s *site) routesFiber3() *fiber.App {
	app, signedIn := fiber.New(), fiberauth.Authenticate(s.live)
	app.Post("/login", fiberauth.Serve(s.sessions.LoginEndpoint(s.users)))
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))
	app.Get("/talk", signedIn, func(c fiber.Ctx) error {
		s.talkOnFiber(c.Context(), c.RequestCtx())
		return nil
	})
	app.Get("/events", signedIn, func(c fiber.Ctx) error {
		ctx := c.Context()
		c.Set(fiber.HeaderContentType, eventStream)
		return c.SendStreamWriter(func(w *bufio.Writer) { s.events(ctx, buffered(w)) })
	})
	return app
}

// fiber3Server gives Fiber's server the method names of net/http's.
type fiber3Server struct{ app *fiber.App }

func (f fiber3Server) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }

func (f fiber3Server) Serve(l net.Listener) error {
	return f.app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
}
