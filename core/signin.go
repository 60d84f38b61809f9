package core

import (
	"context"
	"fmt"
	"net/http"
)

// signIn replaces the guard's schemes at a gate with credentials read by a handler.
type signIn struct {
	account   string
	verify    func(context.Context) (*Principal, error)
	limiter   AttemptLimiter // nil for none
	elsewhere bool           // another server authenticated, and verify checks whose response it is
	principal *Principal
}

// SignIn checks credentials that a handler has read from the body of a request,
// such as a form with user and password, as a gate checks those of a scheme. A
// request that a page of another site has caused is refused first, unchecked and
// uncounted ([CrossSite]); then the guard's [AttemptLimiter] is asked for account,
// the name that was typed; then verify is called. Observers are told the result,
// with Gate "sign_in".
//
// verify returns errors as [Authenticator.Authenticate] does: a [CredentialError]
// for a wrong user or password, which the limiter counts and which is answered with
// 401. The Response to a refused attempt may be sent or, for a wrong password,
// replaced by the form with a message. If the attempt succeeds, Response is nil and
// the principal is the one from verify.
//
// The method must be an unsafe one, such as POST; a sign-in by GET is answered with
// 500, since any link could cause one.
func (g *Guard) SignIn(ctx context.Context, r Request, account string, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "sign_in", &signIn{account: account, verify: verify, limiter: g.limiter})
}

// Refresh checks unguessable credentials that a handler has read from the body or a
// cookie of a request, such as a refresh token. Unlike [Guard.SignIn] it does not
// ask the [AttemptLimiter], and the Gate of the event is "refresh". A request that
// a page of another site has caused is refused before verify is called, so that it
// uses nothing up.
func (g *Guard) Refresh(ctx context.Context, r Request, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "refresh", &signIn{verify: verify})
}

// SignInElsewhere checks a sign-in at another server, such as an OpenID provider,
// which sends the browser back here. Such a request is a GET that another site has
// caused, so neither the method nor the site is checked: verify has to make sure
// that the sign-in began in this very browser, and that the server's response is
// used once. The [AttemptLimiter] is asked without an account, for the address
// only: nothing can be guessed, but each forged response costs a call to that
// server. Otherwise it is like [Guard.SignIn], including Gate "sign_in".
func (g *Guard) SignInElsewhere(ctx context.Context, r Request, verify func(context.Context) (*Principal, error)) (*Principal, Verdict) {
	return g.signIn(ctx, r, "sign_in", &signIn{verify: verify, limiter: g.limiter, elsewhere: true})
}

// LogoutElsewhere checks a request by which another server ends a user's sessions.
// verify ends them and returns the user. The Gate of the event is "logout";
// otherwise it is like [Guard.Refresh].
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
			return g.failure(&InternalError{fmt.Errorf("sign-in or refresh by %s: mount it for POST only", e.Method)})
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
