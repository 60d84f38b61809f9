// Command echo serves the reports example on Echo.
package main

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/echoauth"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
)

func main() { reports.Main(server) }

func server(s *reports.Service) reports.Server { return reports.HTTPServer(routes(s)) }

func routes(s *reports.Service) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover())

	// Gate one alone: public, optional, required.
	e.Match(reports.Read, "/healthz", show)
	e.Match(reports.Read, "/whoami", show, echoauth.Optional(s.Guard))
	e.Match(reports.Read, "/me", show, echoauth.Authenticate(s.Guard))

	// Both gates, with the policy file.
	byPolicy := echoauth.Authorize(s.Guard)
	e.Match(reports.List, "/reports", show, byPolicy)
	e.Match(reports.Item, "/reports/:id", show, byPolicy)
	e.Any("/files/*", show, byPolicy)

	// Both gates, with rules in code.
	e.Match(reports.Read, "/admin/reports", show, echoauth.Require(s.Guard, rule.Role("admin")))
	e.Match(reports.Read, "/insights", show, echoauth.Require(s.Guard, s.ProPlan))
	e.Match(reports.Read, "/regional", show, echoauth.Require(s.Guard, rule.Claim("region", "eu")))
	e.Match(reports.Read, "/scoped", show, echoauth.Require(s.Guard, rule.Scope("reports:read")))
	e.Match(reports.Write, "/notes", show, echoauth.Require(s.Guard, s.ActiveAccount))
	return e
}

// show answers with the route and who asked.
func show(c echo.Context) error {
	return c.JSON(http.StatusOK, reports.NewAnswer(c.Path(), echoauth.Principal(c)))
}
