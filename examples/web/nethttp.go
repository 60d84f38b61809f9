package main

import (
	"net/http"

	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/examples/internal/webapp"
)

func netHTTPServer(s *webapp.Site) server { return httpServer(netHTTPRoutes(s)) }

func netHTTPRoutes(s *webapp.Site) http.Handler {
	app := http.NewServeMux()

	// For everybody. GET in a pattern stands for HEAD too.
	app.Handle("GET /{$}", httpauth.Serve(s.Home))
	app.Handle("GET /robots.txt", httpauth.Serve(s.Robots))
	app.Handle("GET /static/{version}/{file}", httpauth.Serve(s.Static))
	app.Handle("/", httpauth.Serve(s.NotFound))

	// Signing in and out.
	app.Handle("GET /login", httpauth.Serve(s.SignInPage))
	app.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		httpauth.Serve(s.SignIn(r.PostFormValue)).ServeHTTP(w, r)
	})
	app.HandleFunc("POST /api/login", func(w http.ResponseWriter, r *http.Request) {
		httpauth.Serve(s.SignInByScript(r.PostFormValue)).ServeHTTP(w, r)
	})
	app.Handle("POST /logout", httpauth.Serve(s.Sessions.LogoutEndpoint()))

	// Behind both gates.
	gates := httpauth.Authorize(s.Guard)
	app.Handle("GET /app", gates(httpauth.Serve(s.App)))
	app.Handle("GET /app/members", gates(httpauth.Serve(s.App)))
	app.Handle("GET /app/reports/{id}", gates(httpauth.Serve(s.App)))
	app.Handle("GET /admin", gates(httpauth.Serve(s.Admin)))
	app.Handle("GET /api/me", gates(httpauth.Serve(s.Me)))
	app.Handle("GET /api/summary", gates(httpauth.Serve(s.Summary)))
	app.Handle("GET /api/members", gates(httpauth.Serve(s.Members)))
	app.Handle("GET /api/reports", gates(httpauth.Serve(s.Reports)))
	app.Handle("GET /api/reports/{id}", gates(httpauth.Serve(s.Report)))
	app.Handle("POST /api/reports/{id}/approval", gates(httpauth.Serve(s.Approve)))
	return app
}
