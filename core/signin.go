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
	s := &signIn{account: account, verify: verify}
	t := &Gate{guard: g, kind: "sign_in", signIn: s}
	v := t.Check(ctx, r)
	if v.Response != nil {
		return nil, v
	}
	return s.principal, v
}

// attempt is gate one for a sign-in.
func (s *signIn) attempt(ctx context.Context, g *Guard, r Request, e *Event) *Denial {
	switch e.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return g.failure(&InternalError{fmt.Errorf("sign-in by %s: mount it for POST alone", e.Method)})
	}
	if d := g.crossSite(r); d != nil {
		return d
	}
	p, err := limited(ctx, g.limiter, r, s.account, s.verify)
	if err != nil {
		return g.refuse(r, -1, err)
	}
	s.principal, e.PrincipalID = p, p.ID()
	return nil
}
