// Command gin serves the reports example on Gin.
package main

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
	"github.com/sallyport-go/sallyport/ginauth"
)

func main() { reports.Main(server) }

func server(s *reports.Service) reports.Server { return reports.HTTPServer(routes(s)) }

func routes(s *reports.Service) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())

	// Gate one alone: public, optional, required.
	r.Match(reports.Read, "/healthz", show)
	r.Match(reports.Read, "/whoami", ginauth.Optional(s.Guard), show)
	r.Match(reports.Read, "/me", ginauth.Authenticate(s.Guard), show)

	// Both gates, with the policy file.
	byPolicy := r.Group("/", ginauth.Authorize(s.Guard))
	byPolicy.Match(reports.List, "/reports", show)
	byPolicy.Match(reports.Item, "/reports/:id", show)
	byPolicy.Any("/files/*path", show)

	// Both gates, with rules in code.
	r.Match(reports.Read, "/admin/reports", ginauth.Require(s.Guard, rule.Role("admin")), show)
	r.Match(reports.Read, "/insights", ginauth.Require(s.Guard, s.ProPlan), show)
	r.Match(reports.Read, "/regional", ginauth.Require(s.Guard, rule.Claim("region", "eu")), show)
	r.Match(reports.Read, "/scoped", ginauth.Require(s.Guard, rule.Scope("reports:read")), show)
	r.Match(reports.Write, "/notes", ginauth.Require(s.Guard, s.ActiveAccount), show)
	return r
}

// show answers with the route and who asked.
func show(c *gin.Context) {
	c.JSON(http.StatusOK, reports.NewAnswer(c.FullPath(), ginauth.Principal(c)))
}
