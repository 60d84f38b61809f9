// Command web serves a small site for browsers on any of the frameworks.
//
//	go run ./examples/web -framework gin
//
// It is for this machine alone: it speaks plain HTTP and listens on loopback
// addresses only.
//
// The routes for net/http are below; gin.go, fiber.go, fiber3.go, echo.go and
// echo5.go have those of the others. Requests are answered by framework-neutral
// [core.Endpoint] functions: signin.go signs in, pages.go and api.go show content.
//
// To copy it, drop examples/internal/demo, which runs the server until it is
// interrupted, the option for plain HTTP, and the frameworks that are not yours.
package main

import (
	"context"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

//go:embed policy static templates
var files embed.FS

func main() { demo.Program(run) }

// run serves until ctx ends. It writes "listening on http://ADDR" to stdout
// once the socket listens, and logs to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	var lifetimes []session.Option
	if c.lifetime != 0 {
		log.Warn("DEMO ONLY: sessions end early", "after", c.lifetime)
		lifetimes = append(lifetimes, session.WithIdleTimeout(c.lifetime), session.WithAbsoluteTimeout(c.lifetime))
	}
	s, err := newSite(log, nil, lifetimes)
	if err != nil {
		return err
	}
	return demo.Serve(ctx, frameworks[c.framework](s), c.addr, stdout)
}

// newSite assembles the site, with options beside its own.
func newSite(log *slog.Logger, guardOptions []core.Option, sessionOptions []session.Option) (*site, error) {
	rules, err := casbinrules.OpenFS(files, casbinrules.ModelFile("policy/model.conf"), []string{"policy/policy.csv"}, casbinrules.WithLogger(log))
	if err != nil {
		return nil, err
	}
	answers, err := respond.New(
		respond.WithSignInRedirect(signInPath),
		respond.WithSwitchAccount(signInPath),
		respond.WithContact("the office", "mailto:office@example.com"))
	if err != nil {
		return nil, err
	}
	shared := append([]core.Option{
		core.WithResponder(answers), core.WithObserver(core.LogObserver(log)), core.WithLogger(log),
	}, guardOptions...)
	guesses, err := attempts.New(attempts.WithAddressBudget(30, time.Minute, 30), attempts.WithAccountBudget(10, time.Hour, 10))
	if err != nil {
		return nil, err
	}
	sessions, err := session.New(append([]session.Option{
		session.WithRealm("reports"),
		session.WithSignInPage(signInPath),
		session.WithLogoutRedirect("/"),
		session.WithAnswers(slices.Concat(shared, []core.Option{core.WithAttemptLimiter(guesses)})...),
		session.WithPlainHTTPForDevelopment(),
	}, sessionOptions...)...)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{sessions}, append(shared, core.WithAuthorizer(rules))...)
	if err != nil {
		return nil, err
	}
	users, err := files.Open("policy/users.htpasswd")
	if err != nil {
		return nil, err
	}
	defer func() { _ = users.Close() }() // only read
	passwords, err := htpasswd.Parse("policy/users.htpasswd", users)
	if err != nil {
		return nil, err
	}
	s := &site{guard: guard, sessions: sessions, passwords: passwords, reports: newReports()}
	return s, s.show(files)
}

func netHTTPRoutes(s *site) http.Handler {
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
	app.Handle("POST /logout", httpauth.Serve(s.sessions.LogoutEndpoint()))

	// Behind both gates.
	gates := httpauth.Authorize(s.guard)
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
