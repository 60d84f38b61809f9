package sessiontest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/session"
)

// app is an app with sessions. POST /login?user=NAME signs anyone in, POST /enter requires
// the password "right", POST /logout ends the session, and /me returns the user.
type app struct {
	t      *testing.T
	addr   string
	clock  *Clock
	store  *Store
	events *authtest.Recorder
}

func newApp(t *testing.T, f authtest.Framework, opts ...session.Option) *app {
	t.Helper()
	clock := NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	a := &app{t: t, clock: clock, store: NewStore(clock.Now), events: new(authtest.Recorder)}
	m := must.Have(session.New(append([]session.Option{
		session.WithStore(a.store), session.WithClock(clock.Now), session.WithRealm("shop"), session.WithSignInPage("/login"),
		session.WithAnswers(core.WithObserver(a.events)),
	}, opts...)...))(t)
	g := must.Have(core.NewGuard([]core.Authenticator{m}, core.WithObserver(a.events)))(t)
	login := func(x authtest.Exchange) error {
		user, _ := x.Request().Query("user")
		p, err := core.NewPrincipal(core.PrincipalInfo{ID: user, Scheme: "Form"})
		if err != nil {
			return err
		}
		fields, err := m.Login(x.Context(), x.Request(), p)
		if err != nil {
			return x.Serve(m.Refuse(err))
		}
		x.AddFields(fields...)
		return x.Text(http.StatusOK, "done")
	}
	me := func(x authtest.Exchange) error { return x.Text(http.StatusOK, x.Principal().ID()) }
	a.addr = f.Start(t, authtest.App{Routes: []authtest.Route{
		{Methods: []string{"POST"}, Pattern: "/login", Handler: login},
		{Methods: []string{"POST"}, Pattern: "/enter", Endpoint: m.LoginEndpoint(basic.VerifierFunc(verify))},
		{Methods: []string{"POST"}, Pattern: "/logout", Endpoint: m.LogoutEndpoint()},
		{Methods: []string{"GET", "POST"}, Pattern: "/me", Gates: []authtest.Gate{{Kind: "Authenticate", Guard: g}}, Handler: me},
	}})
	return a
}

func verify(_ context.Context, user, password string) (*core.Principal, error) {
	if password != "right" {
		return nil, basic.ErrWrongPassword
	}
	return core.NewPrincipal(core.PrincipalInfo{ID: user, Scheme: "Form"})
}

// ask sends a request without a body.
func (a *app) ask(method, target string, header ...string) authtest.Answer {
	a.t.Helper()
	return authtest.Send(a.t, a.addr, authtest.Request(method, target, append(header, "Content-Length: 0")...))
}

// login signs a user in, from a browser that sends header, and returns the line with the
// resulting cookie.
func (a *app) login(user string, header ...string) string {
	a.t.Helper()
	got := a.ask("POST", "/login?user="+user, header...)
	cookies := setCookies(got)
	if got.Status != http.StatusOK || len(cookies) != 1 || cookies[0].Value == "" {
		a.t.Fatalf("login: %d %q, cookies %q", got.Status, got.Body, got.Header["Set-Cookie"])
	}
	return "Cookie: theme=dark; " + cookies[0].Name + "=" + cookies[0].Value
}

// is fails the test unless the session of a cookie is the user's.
func (a *app) is(user, cookie string) {
	a.t.Helper()
	got := a.ask("GET", "/me", cookie)
	if got.Status != http.StatusOK || got.Body != user || got.Header.Get("Vary") != "Cookie" || got.Header.Get("Cache-Control") != "private" {
		a.t.Errorf("%d %q %v, want the session of %s", got.Status, got.Body, got.Header, user)
	}
}

// refuses fails the test unless got is a refusal for this reason, with the challenge of
// sessions on a 401.
func (a *app) refuses(what string, got authtest.Answer, status int, reason core.Reason) {
	a.t.Helper()
	challenge := map[bool]string{true: `Session realm="shop", login="/login"`}[status == http.StatusUnauthorized]
	if got.Status != status || strings.Join(got.Header.Values("WWW-Authenticate"), "|") != challenge ||
		got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Vary") != "Cookie" {
		a.t.Errorf("%s: %d %v, want %d with %q", what, got.Status, got.Header, status, challenge)
	}
	if e := a.events.Last(a.t); e.Reason != reason || e.Status != status {
		a.t.Errorf("%s: event %d %s, want %s", what, e.Status, e.Reason, reason)
	}
}

// setCookies returns the cookies that an answer sets.
func setCookies(a authtest.Answer) []*http.Cookie {
	return (&http.Response{Header: a.Header}).Cookies()
}
