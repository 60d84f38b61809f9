package clienttable

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/respond"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/core/session"
)

// realm is what every challenge names.
const realm = "reports"

// retryAfter is what clients are told to wait.
const retryAfter = time.Second

// site is an app for one client in one situation. It is shown to clients on the
// address url.
type site struct {
	url      string
	log      *log
	sessions *session.Manager
	guard    *core.Guard
	pages    *core.Guard // leads to the sign-in page
}

// route is one path of the app, for every method.
type route struct {
	path   string
	guard  *core.Guard // nil for everybody
	hidden bool        // behind what the app has for unknown paths
	rule   core.Authorizer
	serve  core.Endpoint
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{log: new(log)}
	quiet := slog.New(slog.DiscardHandler)
	answers, err := respond.New()
	must(t, err)
	leading, err := respond.New(respond.WithSignInRedirect("/login"))
	must(t, err)
	s.sessions, err = session.New(session.WithRealm(realm), session.WithPlainHTTPForDevelopment())
	must(t, err)
	tokens, err := bearer.New(realm, tokens{})
	must(t, err)
	passwords, err := basic.New(realm, basic.VerifierFunc(verifyPassword))
	must(t, err)
	s.guard, err = core.NewGuard([]core.Authenticator{s.sessions, tokens, passwords},
		core.WithResponder(answers), core.WithAttemptLimiter(new(limiter)), core.WithoutPrompts(),
		core.WithObserver(core.LogObserver(quiet)), core.WithLogger(quiet))
	must(t, err)
	s.pages, err = s.guard.With(core.WithResponder(leading))
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verifyPassword(_ context.Context, user, secret string) (*core.Principal, error) {
	if user != viewer || secret != password {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: viewer})
}

// tokens takes a token for the name of whom it belongs to.
type tokens struct{}

func (tokens) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	switch token {
	case viewer:
		return core.NewPrincipal(core.PrincipalInfo{ID: viewer})
	case admin:
		return core.NewPrincipal(core.PrincipalInfo{
			ID: admin, Roles: []string{"admin"}, Scopes: []string{"export"}, Claims: map[string]any{"acr": "gold"},
		})
	}
	return nil, &core.CredentialError{Reason: core.ReasonExpired, Code: core.CodeInvalidToken}
}

// limiter refuses the first attempt at /limited.
type limiter struct{ asked atomic.Bool }

func (l *limiter) Allow(_ context.Context, r core.Request, _ string) error {
	if r.Target() == "/limited" && !l.asked.Swap(true) {
		return &core.LimitError{RetryAfter: retryAfter, Err: errors.New("one too many")}
	}
	return nil
}

func (*limiter) Report(context.Context, core.Request, string, error) {}

// outage fails once, and for ever where nobody says that it will pass.
func outage(path string) core.Authorizer {
	var asked atomic.Bool
	return rule.Func(path, func(context.Context, *core.Principal, core.Access) (bool, error) {
		switch {
		case path == "/broken":
			return false, &core.InternalError{Err: errors.New("a fault")}
		case !asked.Swap(true):
			return false, &core.UnavailableError{RetryAfter: retryAfter, Err: errors.New("an outage")}
		}
		return true, nil
	})
}

// routes are those of the app.
func (s *site) routes(t *testing.T) []route {
	t.Helper()
	script, err := os.ReadFile("../doccheck/testdata/repository/examples/web/static/api.js")
	must(t, err)
	anybody := rule.Func("anybody", func(context.Context, *core.Principal, core.Access) (bool, error) { return true, nil })
	report := content("text/plain", "a report")
	return []route{
		{path: "/public", serve: content("text/html", "<title>News</title>", core.Field{Name: "Cache-Control", Value: "public, max-age=60"})},
		{path: "/robots.txt", serve: content("text/plain", "User-agent: *\nDisallow: /nothing\n")},
		{path: "/login", serve: content("text/html", "<title>The sign-in page</title>", respond.SignInFields()...)},
		{path: "/app", serve: content("text/html", app)},
		{path: "/api.js", serve: content("text/javascript", string(script))},
		{path: "/session", serve: s.signIn},
		{path: "/report", guard: s.guard, rule: anybody, serve: report},
		{path: "/page", guard: s.pages, rule: anybody, serve: report},
		{path: "/transfer", guard: s.guard, rule: rule.ACR("gold"), serve: report},
		{path: "/admin", guard: s.guard, rule: rule.Role("admin"), serve: report},
		{path: "/export", guard: s.guard, rule: rule.Scope("export"), serve: report},
		{path: "/hidden", guard: s.guard, hidden: true, rule: rule.Role("admin"), serve: report},
		{path: "/limited", guard: s.guard, rule: anybody, serve: report},
		{path: "/outage", guard: s.guard, rule: outage("/outage"), serve: report},
		{path: "/broken", guard: s.guard, rule: outage("/broken"), serve: report},
	}
}

// gates is the guard of r, in front of native if r is hidden.
func (r route) gates(t *testing.T, native any) *core.Guard {
	t.Helper()
	if !r.hidden {
		return r.guard
	}
	g, err := r.guard.With(core.WithConcealment(native))
	must(t, err)
	return g
}

func content(mediaType, body string, fields ...core.Field) core.Endpoint {
	fields = append([]core.Field{{Name: "Content-Type", Value: mediaType + "; charset=utf-8"}}, fields...)
	return func(context.Context, core.Request) core.Response {
		return core.Response{Status: http.StatusOK, Fields: fields, Body: []byte(body)}
	}
}

// signIn begins a session of viewer for whoever knows the password.
func (s *site) signIn(ctx context.Context, r core.Request) core.Response {
	secret, _ := r.Query("password")
	p, err := verifyPassword(ctx, viewer, secret)
	if err != nil {
		return core.Response{Status: http.StatusUnprocessableEntity}
	}
	fields, err := s.sessions.Login(ctx, r, p)
	if err != nil {
		return s.sessions.Refuse(err)(ctx, r)
	}
	return core.Response{Status: http.StatusNoContent, Fields: fields}
}

// isAside reports whether a path is not what a situation is about.
func isAside(path string) bool {
	switch path {
	case "/robots.txt", "/favicon.ico", "/app", "/api.js":
		return true
	}
	return strings.HasPrefix(path, "/session")
}
