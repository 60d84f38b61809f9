// Command nethttp serves the reports example on the standard library alone.
package main

import (
	"encoding/json"
	"net/http"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/examples/internal/reports"
)

func main() { reports.Main(server) }

func server(s *reports.Service) reports.Server { return reports.HTTPServer(routes(s)) }

func routes(s *reports.Service) http.Handler {
	mux := http.NewServeMux()
	answer := http.HandlerFunc(show)

	// Gate one alone: public, optional, required.
	match(mux, reports.Read, "/healthz", answer)
	match(mux, reports.Read, "/whoami", httpauth.Optional(s.Guard)(answer))
	match(mux, reports.Read, "/me", httpauth.Authenticate(s.Guard)(answer))

	// Both gates, with the policy file.
	byPolicy := httpauth.Authorize(s.Guard)
	match(mux, reports.List, "/reports", byPolicy(answer))
	match(mux, reports.Item, "/reports/{id}", byPolicy(answer))
	mux.Handle("/files/{path...}", byPolicy(answer))

	// Both gates, with rules in code.
	match(mux, reports.Read, "/admin/reports", httpauth.Require(s.Guard, rule.Role("admin"))(answer))
	match(mux, reports.Read, "/insights", httpauth.Require(s.Guard, s.ProPlan)(answer))
	match(mux, reports.Read, "/regional", httpauth.Require(s.Guard, rule.Claim("region", "eu"))(answer))
	match(mux, reports.Read, "/scoped", httpauth.Require(s.Guard, rule.Scope("reports:read"))(answer))
	match(mux, reports.Write, "/notes", httpauth.Require(s.Guard, s.ActiveAccount)(answer))
	return refuseUnclean(s.Guard, mux)
}

// match adds a route for several methods, for which ServeMux has no call.
func match(mux *http.ServeMux, methods []string, path string, h http.Handler) {
	for _, m := range methods {
		mux.Handle(m+" "+path, h)
	}
}

// refuseUnclean has a gate refuse paths with "//" or "..", which ServeMux would
// answer by sending the client to another path before any gate.
func refuseUnclean(g *core.Guard, next http.Handler) http.Handler {
	gate := httpauth.Authenticate(g)(http.NotFoundHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := core.CanonicalPath(core.Route{Path: r.URL.Path}); err != nil {
			gate.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// show answers with the route and who asked.
func show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(reports.NewAnswer(r.Pattern, httpauth.Principal(r))) // the client has gone
}
