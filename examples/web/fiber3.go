package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func fiber3Server(s *site) demo.Server { return fiber3App{fiber3Routes(s)} }

func fiber3Routes(s *site) *fiber.App {
	app := fiber.New(fiber.Config{
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		BodyLimit:                    maxBody,
		DisablePreParseMultipartForm: true, // else what follows a form in its body is taken for a request
	})
	app.Use(recover.New())

	// Fiber v3 puts the routes for HEAD that it makes by itself behind all others,
	// so that the last handler here would answer them with 404.
	get := func(path string, handler any, more ...any) { app.Add(read, path, handler, more...) }

	// For everybody.
	get("/", fiberauth.Serve(s.Home))
	get("/robots.txt", fiberauth.Serve(s.Robots))
	get("/static/:version/:file", fiberauth.Serve(s.Static))

	// Signing in and out.
	get("/login", fiberauth.Serve(s.SignInPage))
	app.Post("/login", func(c fiber.Ctx) error { return fiberauth.Serve(s.SignIn(postForm3(c)))(c) })
	app.Post("/api/login", func(c fiber.Ctx) error { return fiberauth.Serve(s.SignInByScript(postForm3(c)))(c) })
	app.Post("/logout", fiberauth.Serve(s.sessions.LogoutEndpoint()))

	// Behind both gates.
	gates := fiberauth.Authorize(s.guard)
	get("/app", gates, fiberauth.Serve(s.App))
	get("/app/members", gates, fiberauth.Serve(s.App))
	get("/app/reports/:id", gates, fiberauth.Serve(s.App))
	get("/admin", gates, fiberauth.Serve(s.Admin))
	get("/api/me", gates, fiberauth.Serve(s.Me))
	get("/api/summary", gates, fiberauth.Serve(s.Summary))
	get("/api/members", gates, fiberauth.Serve(s.Members))
	get("/api/reports", gates, fiberauth.Serve(s.Reports))
	get("/api/reports/:id", gates, fiberauth.Serve(s.Report))
	app.Post("/api/reports/:id/approval", gates, fiberauth.Serve(s.Approve))

	app.Use(fiberauth.Serve(s.NotFound))
	return app
}

// postForm3 is postForm for Fiber v3.
func postForm3(c fiber.Ctx) Form {
	return func(name string) string { return string(c.Request().PostArgs().Peek(name)) }
}

// fiber3App gives Fiber's server the method names of net/http's.
type fiber3App struct{ *fiber.App }

func (f fiber3App) Serve(l net.Listener) error {
	return f.Listener(l, fiber.ListenConfig{DisableStartupMessage: true})
}
func (f fiber3App) Shutdown(ctx context.Context) error { return f.ShutdownWithContext(ctx) }
