package core

import (
	"context"
	"fmt"
	"net/http"
)

// signIn is what a gate judges in place of what its guard's schemes find.
type signIn struct {
	account   string
	verify    func(context.Context) (*Principal, error)
	limiter   AttemptLimiter // nil for none
	elsewhere bool           // another server has proved it, and verify looks whose answer it is
	principal *Principal
}

// SignIn judges credentials that a handler has read from the body of a request,
// such as a form with user and password, as a gate judges those of a scheme: a
// request that a page of another site has caused is refused first, unseen and
// uncounted ([CrossSite]); then the guard's [AttemptLimiter] is asked for
// account, the name that was typed; then verify is called. Observers are told how
// it ended, with Gate "sign_in".
//
// The errors of verify are those of [Authenticator.Authenticate]: a
// [CredentialError] for a wrong user or password, which is what the limiter
// counts and is answered with 401. The Response of a refused attempt may be sent
// or, for a wrong password, replaced by the form with a message. Where the
// attempt succeeds Response is nil and the principal is verify's.
//
// The method must be one that may change something, such as POST; a sign-in by
// GET is answered with 500, since any link would be one.
func (g *Guard) SignIn(ctx context.Context, r Request, account string, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "sign_in", &signIn{account: account, verify: verify, limiter: g.limiter})
}

// Refresh judges credentials that nobody can guess and that a handler has read
// from the body or a cookie of a request, such as a refresh token. It differs from
// [Guard.SignIn] in that the [AttemptLimiter] is not asked, and in the Gate of the
// event, which is "refresh". A request that a page of another site has caused is
// refused before verify is called, so that it uses nothing up.
func (g *Guard) Refresh(ctx context.Context, r Request, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "refresh", &signIn{verify: verify})
}

// SignInElsewhere judges a sign-in that another server has proved and sends the
// browser back from, as an OpenID provider does. Such a request is a GET that
// another site has caused, so neither is looked at here: verify has to make sure
// that the sign-in began in this very browser, and that the answer is used once.
// The [AttemptLimiter] is asked without an account, for the address: nothing can be
// guessed, but each answer that is made up costs a call of that server. Otherwise it
// is [Guard.SignIn], with its Gate "sign_in".
func (g *Guard) SignInElsewhere(ctx context.Context, r Request, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "sign_in", &signIn{verify: verify, limiter: g.limiter, elsewhere: true})
}

// LogoutElsewhere judges the request by which another server ends the sessions
// of somebody, whom verify returns, once it has ended them. The Gate of the event
// is "logout"; otherwise it is [Guard.Refresh].
func (g *Guard) LogoutElsewhere(ctx context.Context, r Request, verify func(context.Context) (*Principal, error)) Verdict {
	_, v := g.signIn(ctx, r, "logout", &signIn{verify: verify})
	return v
}

func (g *Guard) signIn(ctx context.Context, r Request, kind string, s *signIn) (*Principal, Verdict) {
	t := &Gate{guard: g, kind: kind, signIn: s}
	v := t.Check(ctx, r)
	if v.Response != nil {
		return nil, v
	}
	return s.principal, v
}

// attempt is gate one for a sign-in.
func (s *signIn) attempt(ctx context.Context, g *Guard, r Request, e *Event) *Denial {
	if !s.elsewhere {
		switch e.Method {
		case "", http.MethodGet, http.MethodHead, http.MethodOptions:
			return g.failure(&InternalError{fmt.Errorf("sign-in or refresh by %s: mount it for POST alone", e.Method)})
		}
		if d := g.crossSite(r); d != nil {
			return d
		}
	}
	p, err := limited(ctx, s.limiter, r, s.account, s.verify)
	if err != nil {
		return g.refuse(r, -1, err)
	}
	s.principal, e.PrincipalID = p, p.ID()
	return nil
}
