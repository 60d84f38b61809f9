package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// identity is what gate one found out.
type identity struct {
	principal *Principal // nil for none
	scheme    string     // the authenticator's, "" for none
	lenient   bool       // whether credentials that are over are none
	ended     error      // why they are over
	byBrowser bool       // whether a browser sends that scheme's credentials by itself
	fields    []Field    // for the response to a request that passes
	informed  []Field    // those of them that the scheme itself asks for
}

// passage is the context of a request that has passed gate one of g with id.
func (id *identity) passage(ctx context.Context, g *Guard, method string) *passage {
	return &passage{
		Context: ctx, guard: g, principal: id.principal, scheme: id.scheme,
		byBrowser: id.byBrowser, method: method, fields: id.fields, ended: id.ended,
	}
}

// identify is gate one: it fills in id with the principal, or with none, or
// returns a denial.
func (g *Guard) identify(ctx context.Context, r Request, id *identity, e *Event) *Denial {
	if _, n := r.Header("Authorization"); n > 1 {
		return g.refuse(r, -1, fmt.Errorf("%w: %d Authorization lines", ErrAmbiguousCredentials, n))
	}
	for i := range g.schemes {
		s := &g.schemes[i]
		e.Scheme = s.name // also when it panics
		account, guess := s.guess(r)
		if guess && s.byBrowser {
			// Before the password is looked at: a page of another site could
			// otherwise have failures counted against its visitor, or learn by
			// the answer whether a password is right.
			if d := g.crossSite(r); d != nil {
				return d
			}
		}
		p, err := g.attempt(ctx, r, s, account, guess)
		if hasNone(err) {
			e.Scheme = ""
			continue
		}
		if err == nil && (p == nil || p.ID() == "") {
			err = &InternalError{fmt.Errorf("authenticator %s returned neither principal nor error", s.name)}
		}
		if id.lenient && isOver(err) {
			id.leave(r, s, err)
			return nil
		}
		if err != nil {
			return g.refuse(r, i, err)
		}
		return g.admit(ctx, r, s, p, id, e)
	}
	id.fields = g.varyFields
	return nil
}

// isOver reports whether err says that credentials are over, and nothing worse.
func isOver(err error) bool {
	var bad *CredentialError
	if err == nil || !errors.As(err, &bad) || isFailure(err) || errors.Is(err, ErrAmbiguousCredentials) {
		return false
	}
	// A proof of possession that is too old says nothing of the credentials.
	return bad.Ended || bad.Reason == ReasonExpired && bad.Code != CodeInvalidProof
}

// leave makes id that of a request whose credentials of scheme s are over.
func (id *identity) leave(r Request, s *scheme, err error) {
	id.scheme, id.ended, id.fields = s.name, err, s.allowed
	if s.inform != nil {
		id.fields = slices.Concat(s.allowed, s.inform(r, nil, err))
	}
}

// indexOf is the place of a scheme in the guard, -1 for none.
func (g *Guard) indexOf(name string) int {
	return slices.IndexFunc(g.schemes, func(s scheme) bool { return strings.EqualFold(name, s.name) })
}

// admit completes a principal that scheme s has proved, and fills in id.
func (g *Guard) admit(ctx context.Context, r Request, s *scheme, p *Principal, id *identity, e *Event) *Denial {
	if p.Scheme() == "" {
		p = p.withScheme(s.name)
	}
	e.PrincipalID = p.ID()
	if s.byBrowser {
		if d := g.crossSite(r); d != nil {
			return d
		}
	}
	if g.roles != nil {
		extra, err := g.roles.RolesOf(ctx, p)
		if err != nil {
			return g.failure(err)
		}
		if len(extra) > 0 {
			p = p.withRoles(extra)
		}
	}
	id.principal, id.scheme, id.byBrowser, id.fields = p, s.name, s.byBrowser, s.allowed
	if s.inform != nil {
		if id.informed = s.inform(r, p, nil); len(id.informed) > 0 {
			id.fields = slices.Concat(s.allowed, id.informed)
		}
	}
	return nil
}

// crossSite is the denial for what another site sends with credentials that the
// browser adds by itself.
func (g *Guard) crossSite(r Request) *Denial {
	if err := CrossSite(r, g.origins...); err != nil {
		return newDenial(Forbidden, CodeCrossSite, ReasonCrossSite, err)
	}
	return nil
}

// reuses reports whether a gate of g may rely on what gate one of another
// variant of the same guard found out.
func (g *Guard) reuses(pass *passage) bool {
	switch {
	case pass == nil || pass.guard == nil || pass.guard.root != g.root:
		return false
	case pass.guard == g:
		return true
	case pass.principal != nil:
		return g.accepts(pass.scheme)
	}
	for i := range g.schemes {
		if !pass.guard.accepts(g.schemes[i].name) {
			return false
		}
	}
	return true
}
