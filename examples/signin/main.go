// Command signin signs people in at an OpenID provider, such as Keycloak or Google.
//
//	export CLIENT_SECRET=…
//	go run ./examples/signin -issuer https://id.example.com/realms/shop -client shop
//	open http://localhost:8080/account
//
// At the provider, register the redirect URI
// http://localhost:8080/openid/callback/default and the post-logout redirect URI
// http://localhost:8080/; where it runs on this machine, as the back-channel logout URI
// http://localhost:8080/openid/logout/default too.
//
// It is written for net/http; on the other frameworks, ginauth.Serve, fiberauth.Serve and
// echoauth.Serve mount the same endpoints. To copy it, drop what comes from
// examples/internal/demo, which runs the server until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/openid"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

func main() { demo.Program(run) }

// settings are the values of the flags.
type settings struct{ issuer, client, secret, site, roles string }

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	s := settings{secret: os.Getenv("CLIENT_SECRET")}
	flags := flag.NewFlagSet("signin", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on, of the loopback interface: there is no TLS")
	flags.StringVar(&s.issuer, "issuer", "", "`URL` of the provider, exactly as the claim iss of its tokens")
	flags.StringVar(&s.client, "client", "", "`ID` of this application there; its secret is in $CLIENT_SECRET")
	flags.StringVar(&s.site, "site", "http://localhost:8080", "`URL` of this application as browsers see it")
	flags.StringVar(&s.roles, "roles", "roles", "`claim` of ID tokens with the roles, with dots for objects")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if s.issuer == "" || s.client == "" {
		return errors.New("-issuer and -client are needed: they say where people sign in, and what this application is called there")
	}
	handler, closing, err := newSite(s, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return err
	}
	defer closing()
	return demo.Serve(ctx, &http.Server{
		Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	}, *addr, stdout)
}

// newSite returns the application. It sends nothing to the provider.
func newSite(s settings, log *slog.Logger) (_ http.Handler, closing func(), err error) {
	answers, err := respond.New(respond.WithSignInRedirect("/login"))
	if err != nil {
		return nil, nil, err
	}
	limiter, err := attempts.New()
	if err != nil {
		return nil, nil, err
	}
	shared := []core.Option{core.WithResponder(answers), core.WithLogger(log), core.WithObserver(core.LogObserver(log))}
	options := []session.Option{
		session.WithSignInPage("/login"), session.WithSignInRedirect("/account"),
		session.WithAnswers(append(shared, core.WithAttemptLimiter(limiter))...),
	}
	if strings.HasPrefix(s.site, "http://") {
		options = append(options, session.WithPlainHTTPForDevelopment())
	}
	sessions, err := session.New(options...)
	if err != nil {
		return nil, nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{sessions}, shared...)
	if err != nil {
		return nil, nil, err
	}
	at := []openid.ProviderOption{openid.WithScopes("profile"), openid.WithClaims(jwtauth.WithRoles(s.roles))}
	if s.secret != "" {
		at = append(at, openid.WithClientSecret(s.secret))
	}
	provider, err := openid.NewProvider(s.issuer, s.client, at...)
	if err != nil {
		return nil, nil, err
	}
	login, err := openid.New(sessions, s.site, []*openid.Provider{provider})
	if err != nil {
		provider.Close()
		return nil, nil, err
	}
	return routes(guard, login), login.Close, nil
}

// routes returns the routes of the sign-in, which are not behind a gate, and those of the
// application.
func routes(guard *core.Guard, login *openid.SignIn) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /login", httpauth.Serve(login.SignInEndpoint()))
	mux.Handle("GET /openid/callback/{provider}", httpauth.Serve(login.CallbackEndpoint()))
	mux.Handle("POST /openid/logout/{provider}", httpauth.Serve(login.BackChannelEndpoint()))
	mux.Handle("POST /logout", httpauth.Serve(login.LogoutEndpoint()))

	mux.Handle("GET /{$}", show(`<p>Nobody is signed in. <a href="/account">Account</a></p>`))
	mux.Handle("GET /account", httpauth.Authenticate(guard)(show(`<p>You are {{.ID}}. <a href="/articles">Articles</a></p>
<form method="post" action="/logout"><button>Sign out</button></form>`)))
	mux.Handle("GET /articles", httpauth.Require(guard, rule.Role("editor"))(show(`<p>For editors.</p>`)))
	return mux
}

// show is a page for users who are signed in.
func show(text string) http.Handler {
	page := template.Must(template.New("page").Parse("<!doctype html>\n<html lang=\"en\">\n<title>Shop</title>\n" + text + "\n"))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, httpauth.Principal(r)) // the client has gone
	})
}
