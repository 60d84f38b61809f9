package sessiontest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/rule"
	"github.com/sallyport-go/sallyport/core/session"
)

// cookieName is the name of the cookie by default.
const cookieName = "__Host-session"

// stepUpAge is how recent a login the route /sensitive requires.
const stepUpAge = 5 * time.Minute

// service is an app with sessions. POST /login?user=NAME needs no password.
type service struct {
	t       testing.TB
	addr    string
	clock   *Clock
	store   *Store
	manager *session.Manager
	events  *authtest.Recorder

	verified atomic.Int64 // number of passwords verified
}

// serve starts a service whose manager has further options.
func serve(t testing.TB, f authtest.Framework, opts ...session.Option) *service {
	t.Helper()
	clock := NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := &service{t: t, clock: clock, store: NewStore(clock.Now), events: new(authtest.Recorder)}
	var err error
	s.manager, err = session.New(append([]session.Option{
		session.WithStore(s.store), session.WithClock(clock.Now), session.WithRealm("shop"),
		session.WithSignInPage("/login"), session.WithAnswers(core.WithObserver(s.events)),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{s.manager}, core.WithObserver(s.events))
	if err != nil {
		t.Fatal(err)
	}
	s.addr = f.Start(t, authtest.App{Routes: s.routes(guard)})
	return s
}

func (s *service) routes(guard *core.Guard) []authtest.Route {
	signedIn := []authtest.Gate{{Kind: "Authenticate", Guard: guard}}
	admins := []authtest.Gate{{Kind: "Require", Guard: guard, Rules: []core.Authorizer{rule.Role("admin")}}}
	recent := []authtest.Gate{{Kind: "Require", Guard: guard, Rules: []core.Authorizer{s.recentLogin()}}}
	get, post := []string{"GET"}, []string{"POST"}
	return []authtest.Route{
		{Methods: post, Pattern: "/login", Handler: s.login},
		{Methods: post, Pattern: "/sign-in", Handler: s.signIn},
		{Methods: []string{"GET", "POST"}, Pattern: "/enter", Endpoint: s.manager.LoginEndpoint(basic.VerifierFunc(s.password))},
		{Methods: []string{"GET", "POST"}, Pattern: "/logout", Endpoint: s.manager.LogoutEndpoint()},
		{Methods: []string{"GET", "POST"}, Pattern: "/back/:server", Endpoint: s.back},
		{Methods: post, Pattern: "/ended/:server", Endpoint: s.ended},
		{Methods: []string{"GET", "POST"}, Pattern: "/me", Gates: signedIn, Handler: me},
		{Methods: get, Pattern: "/public", Gates: []authtest.Gate{{Kind: "Optional", Guard: guard}}, Handler: me},
		{Methods: get, Pattern: "/admin", Gates: admins, Handler: me},
		{Methods: get, Pattern: "/sensitive", Gates: recent, Handler: me},
		{Methods: post, Pattern: "/promote", Gates: signedIn, Handler: s.promote},
		{Methods: post, Pattern: "/everywhere", Gates: signedIn, Handler: s.everywhere},
	}
}

// recentLogin is a rule that requires a step-up by the service's clock.
func (s *service) recentLogin() core.Authorizer {
	return authtest.AuthorizerFunc(func(p *core.Principal, _ core.Access) (core.Decision, error) {
		if s.clock.Now().Sub(p.AuthTime()) <= stepUpAge {
			return core.Decision{Allowed: true}, nil
		}
		return core.Decision{StepUp: &core.StepUp{MaxAge: stepUpAge}}, nil
	})
}

// me answers with the principal and its roles.
func me(x authtest.Exchange) error {
	p := x.Principal()
	if p == nil {
		return x.Text(http.StatusOK, "nobody")
	}
	return x.Text(http.StatusOK, strings.Join(append([]string{p.ID()}, slices.Collect(p.Roles())...), " "))
}

func (s *service) login(x authtest.Exchange) error {
	user, _ := x.Request().Query("user")
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: user, Scheme: "Form", Roles: []string{"user"}})
	if err != nil {
		return x.Text(http.StatusBadRequest, "no user")
	}
	return s.finish(x, func() ([]core.Field, error) { return s.manager.Login(x.Context(), x.Request(), p) })
}

// signIn handles POST /sign-in?user=NAME&password=right.
func (s *service) signIn(x authtest.Exchange) error {
	user, _ := x.Request().Query("user")
	password, _ := x.Request().Query("password")
	return s.finish(x, func() ([]core.Field, error) {
		_, fields, err := s.manager.SignIn(x.Context(), x.Request(), user, func(ctx context.Context) (*core.Principal, error) {
			p, err := s.password(ctx, user, password)
			if errors.Is(err, basic.ErrWrongPassword) {
				return nil, &core.CredentialError{Reason: core.ReasonWrongSecret, Code: core.CodeInvalidCredentials}
			}
			return p, err
		})
		return fields, err
	})
}

// password is right for everyone except "nobody".
func (s *service) password(_ context.Context, user, password string) (*core.Principal, error) {
	s.verified.Add(1)
	switch {
	case user == "nobody":
		return nil, basic.ErrUnknownUser
	case password == "right":
		return core.NewPrincipal(core.PrincipalInfo{ID: user, Scheme: "Form", Roles: []string{"user"}})
	case password == "outage":
		return nil, &core.UnavailableError{Err: context.DeadlineExceeded}
	}
	return nil, basic.ErrWrongPassword
}

func (s *service) promote(x authtest.Exchange) error {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: x.Principal().ID(), Roles: []string{"user", "admin"}})
	if err != nil {
		return err
	}
	return s.finish(x, func() ([]core.Field, error) { return s.manager.Rotate(x.Context(), x.Request(), p) })
}

func (s *service) everywhere(x authtest.Exchange) error {
	return s.finish(x, func() ([]core.Field, error) {
		return nil, s.manager.LogoutEverywhere(x.Context(), x.Principal().ID())
	})
}

// finish answers with the manager's result, as every handler does.
func (s *service) finish(x authtest.Exchange, do func() ([]core.Field, error)) error {
	fields, err := do()
	if err != nil {
		return x.Serve(s.manager.Refuse(err))
	}
	x.AddFields(fields...)
	return x.Text(http.StatusOK, "done")
}
