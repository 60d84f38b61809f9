// Command fiber serves the reports example on Fiber.
package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
	"github.com/sallyport-go/sallyport/fiberauth"
)

func main() { reports.Main(server) }

func routes(s *reports.Service) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadTimeout:           reports.ReadTimeout,
		WriteTimeout:          reports.WriteTimeout,
		IdleTimeout:           reports.IdleTimeout,
	})
	app.Use(recover.New())

	// Gate one alone: public, optional, required.
	match(app, reports.Read, "/healthz", show)
	match(app, reports.Read, "/whoami", fiberauth.Optional(s.Guard), show)
	match(app, reports.Read, "/me", fiberauth.Authenticate(s.Guard), show)

	// Both gates, with the policy file.
	byPolicy := fiberauth.Authorize(s.Guard)
	match(app, reports.List, "/reports", byPolicy, show)
	match(app, reports.Item, "/reports/:id", byPolicy, show)
	app.All("/files/*", byPolicy, show)

	// Both gates, with rules in code.
	match(app, reports.Read, "/admin/reports", fiberauth.Require(s.Guard, rule.Role("admin")), show)
	match(app, reports.Read, "/insights", fiberauth.Require(s.Guard, s.ProPlan), show)
	match(app, reports.Read, "/regional", fiberauth.Require(s.Guard, rule.Claim("region", "eu")), show)
	match(app, reports.Read, "/scoped", fiberauth.Require(s.Guard, rule.Scope("reports:read")), show)
	match(app, reports.Write, "/notes", fiberauth.Require(s.Guard, s.ActiveAccount), show)
	return app
}

// match adds a route for several methods, for which Fiber has no call.
func match(app *fiber.App, methods []string, path string, handlers ...fiber.Handler) {
	for _, m := range methods {
		app.Add(m, path, handlers...)
	}
}

// show answers with the route and who asked.
func show(c *fiber.Ctx) error {
	return c.JSON(reports.NewAnswer(c.Route().Path, fiberauth.Principal(c)))
}

// fiberServer gives Fiber's server the method names of net/http's.
type fiberServer struct{ app *fiber.App }

func server(s *reports.Service) reports.Server { return fiberServer{routes(s)} }

func (f fiberServer) Serve(l net.Listener) error         { return f.app.Listener(l) }
func (f fiberServer) Shutdown(ctx context.Context) error { return f.app.ShutdownWithContext(ctx) }
