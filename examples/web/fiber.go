package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/fiberauth"
)

func fiberServer(s *site) demo.Server { return fiberApp{fiberRoutes(s)} }

func fiberRoutes(s *site) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage:        true,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		BodyLimit:                    maxBody,
		DisablePreParseMultipartForm: true, // else what follows a form in its body is taken for a request
	})
	app.Use(recover.New())

	// For everybody. Fiber answers HEAD wherever it answers GET.
	app.Get("/", fiberauth.Serve(s.Home))
	app.Get("/robots.txt", fiberauth.Serve(s.Robots))
	app.Get("/static/:version/:file", fiberauth.Serve(s.Static))

	// Signing in and out.
	app.Get("/login", fiberauth.Serve(s.SignInPage))
	app.Post("/login", func(c *fiber.Ctx) error { return fiberauth.Serve(s.SignIn(postForm(c)))(c) })
	app.Post("/api/login", func(c *fiber.Ctx) error { return fiberauth.Serve(s.SignInByScript(postForm(c)))(c) })
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))

	// Behind both gates.
	gates := fiberauth.Authorize(s.guard)
	app.Get("/app", gates, fiberauth.Serve(s.App))
	app.Get("/app/members", gates, fiberauth.Serve(s.App))
	app.Get("/app/reports/:id", gates, fiberauth.Serve(s.App))
	app.Get("/admin", gates, fiberauth.Serve(s.Admin))
	app.Get("/api/me", gates, fiberauth.Serve(s.Me))
	app.Get("/api/summary", gates, fiberauth.Serve(s.Summary))
	app.Get("/api/members", gates, fiberauth.Serve(s.Members))
	app.Get("/api/reports", gates, fiberauth.Serve(s.Reports))
	app.Get("/api/reports/:id", gates, fiberauth.Serve(s.Report))
	app.Post("/api/reports/:id/approval", gates, fiberauth.Serve(s.Approve))

	app.Use(fiberauth.Serve(s.NotFound))
	return app
}

// postForm gives the fields of the body alone, as copies: Fiber's FormValue
// looks into the query as well, and lends what it finds.
func postForm(c *fiber.Ctx) Form {
	return func(name string) string { return string(c.Request().PostArgs().Peek(name)) }
}

// fiberApp gives Fiber's server the method names of net/http's.
type fiberApp struct{ *fiber.App }

func (f fiberApp) Serve(l net.Listener) error         { return f.Listener(l) }
func (f fiberApp) Shutdown(ctx context.Context) error { return f.ShutdownWithContext(ctx) }
