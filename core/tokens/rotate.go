package tokens

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/revoke"
)

const (
	// grace is how long after its first use a refresh token gets the same
	// successor again.
	grace = 10 * time.Second
	// usedAhead is how far in the future a first use may be, for clocks that differ. If
	// it is further, a clock was set back, and how long ago it was is not known.
	usedAhead = time.Minute
	// usesKept is the number of tokens of a family whose time of first use is in
	// the store. Older ones are recognized by their number, as long as no write of
	// the next number is delayed by that many refreshes.
	usesKept = 8
	// generationSlack is how much longer a generation is kept than any of its
	// families, for a clock that is half a day off until it is set, and revocationSlack
	// how much longer a revocation is kept than its access token, for clocks that differ
	// and requests under way.
	generationSlack = 24 * time.Hour
	revocationSlack = 5 * time.Minute

	claimAuthTime = "auth_time"
	claimTenant   = "tenant"
)

// pair is the result of a login or a refresh.
type pair struct {
	principal *core.Principal
	access    string
	expires   time.Time // of access
	refresh   string
	last      time.Time // when refresh expires, unless it is used
}

// begin logs p in.
func (m *Manager) begin(ctx context.Context, p *core.Principal) (*pair, error) {
	if p.ID() == m.signer.Client() {
		return nil, &core.InternalError{Err: errors.New("tokens: a user has the ID of the client that tokens are issued to, so the user's tokens would be the client's own: name another with jwtsign.WithClient")}
	}
	f, t, err := m.startFamily(ctx, p)
	if err != nil {
		return nil, err
	}
	if p, err = f.principal(); err != nil {
		return nil, err
	}
	return m.pair(f, p, t)
}

// pair signs an access token to go with a refresh token.
func (m *Manager) pair(f *family, p *core.Principal, t refreshToken) (*pair, error) {
	left := f.Deadline.Sub(m.now())
	token := jwtsign.Token{
		Subject: p.ID(), ID: f.tag() + "." + rand.Text(),
		Roles: slices.Collect(p.CredentialRoles()), Scopes: slices.Collect(p.Scopes()),
		Lifetime: max(time.Second, min(m.signer.Lifetime(), left)),
		Claims:   map[string]any{claimAuthTime: f.AuthTime.Unix()},
	}
	if all := slices.Collect(p.Tenants()); len(all) > 0 { // as jwtauth.WithTenant reads them
		token.Claims[claimTenant] = all
	} else if p.Tenant() != "" {
		token.Claims[claimTenant] = p.Tenant()
	}
	for _, name := range m.claims {
		if v, ok := p.Claim(name); ok {
			token.Claims[name] = v
		}
	}
	access, expires, err := m.signer.SignUntil(token)
	if err != nil {
		return nil, &core.InternalError{Err: fmt.Errorf("tokens: %w", err)}
	}
	if m.cookies != nil && len(m.cookies.access)+len(access) > maxCookie {
		return nil, &core.InternalError{Err: fmt.Errorf("tokens: an access token of %d bytes is too long for a cookie, of which browsers keep %d: give the principal fewer roles, or leave claims out of WithClaims", len(access), maxCookie)}
	}
	return &pair{p, access, expires, t.String(), m.now().Add(min(m.idle, left))}, nil
}

// rotate exchanges a refresh token for its successor.
//
// The number of the next token is written before the time of first use, and both
// are written before responding: a token whose use was not recorded got no
// response, and may be tried again after an outage, however late.
func (m *Manager) rotate(ctx context.Context, text string) (*pair, error) {
	began := m.now() // before any call, so that no later writer has a later time
	t, err := parse(text)
	if err != nil {
		return nil, err
	}
	f, err := m.find(ctx, t)
	if err == nil {
		err = m.check(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	next, err := m.next(ctx, f)
	if err != nil {
		return nil, err
	}
	used, err := m.firstUse(ctx, f, t.number)
	switch {
	case err != nil:
		return nil, err
	case used.IsZero() && int64(t.number)+1 < int64(next), !used.IsZero() && (began.Sub(used) > grace || used.Sub(began) > usedAhead):
		return nil, m.reused(ctx, f, t.number)
	}
	p, err := m.current(ctx, f)
	if err != nil {
		return nil, err
	}
	out, err := m.pair(f, p, f.token(t.number+1))
	if err != nil || !used.IsZero() {
		return out, err
	}
	if err := m.setNext(ctx, f, t.number+1); err != nil {
		return nil, err
	}
	if err := m.store.Commit(ctx, usedKey(f.key, t.number), began.UTC().AppendFormat(nil, time.RFC3339Nano), began.Add(m.idle)); err != nil {
		return nil, err
	}
	if t.number >= usesKept {
		_ = m.store.Delete(ctx, usedKey(f.key, t.number-usesKept)) // it would expire by itself
	}
	return out, nil
}

// current returns the principal of a family in its current state.
func (m *Manager) current(ctx context.Context, f *family) (*core.Principal, error) {
	p, err := f.principal()
	if err != nil || m.reload == nil {
		return p, err
	}
	now, err := m.reload(ctx, p)
	switch {
	case errtype.In[*core.CredentialError](err):
		if ended := m.end(ctx, f); ended != nil {
			return nil, ended
		}
		return nil, refused(core.ReasonRevoked, err)
	case err != nil:
		return nil, &core.UnavailableError{Err: fmt.Errorf("tokens: reload: %w", err)}
	case now == nil || now.ID() != p.ID():
		return nil, &core.InternalError{Err: errors.New("tokens: reload returned no principal, or one with another ID")}
	}
	return now, nil
}

// reused ends the family of a token that was used before.
func (m *Manager) reused(ctx context.Context, f *family, number uint32) error {
	if err := m.end(ctx, f); err != nil {
		return err
	}
	return refused(ReasonReused, fmt.Errorf("refresh token %d of family %s was used before: the family has ended", number, f.tag()))
}

// end ends a family. Since its record is never restored, no request under way can
// bring it back. The record is deleted last, so that repeating an interrupted call
// finds what is left to do.
func (m *Manager) end(ctx context.Context, f *family) error {
	ctx = context.WithoutCancel(ctx) // a client that disconnects early is still logged out
	if m.revocations != nil {
		issued, err := m.lastIssued(ctx, f)
		if err != nil {
			return err
		}
		if err := m.revoke(revoke.Entry{ID: f.tag()}, issued); err != nil {
			f.Ended = true // its refresh tokens must not stay valid while revoking fails
			return errors.Join(err, m.keep(ctx, f))
		}
	}
	return m.store.Delete(ctx, f.key)
}

// lastIssued returns when the newest access token of a family was issued, or now if that is
// later, as it is unless this clock is behind the one of then.
func (m *Manager) lastIssued(ctx context.Context, f *family) (time.Time, error) {
	last := m.now()
	var used time.Time
	next, err := m.next(ctx, f)
	if err == nil && next > 0 {
		used, err = m.firstUse(ctx, f, next-1)
	}
	if errtype.In[*core.UnavailableError](err) {
		return last, err
	}
	// A family that was idle for too long, or whose entries cannot be read, ends as well.
	for _, at := range [...]time.Time{f.LoggedIn, used} {
		if at.After(last) && at.Before(f.Deadline) {
			last = at
		}
	}
	return last, nil
}

// revoke adds an entry for access tokens that were issued up to a time.
func (m *Manager) revoke(e revoke.Entry, issued time.Time) error {
	e.Issuer, e.Expires = m.signer.Issuer(), issued.Add(m.signer.Lifetime()+revocationSlack)
	if err := m.revocations.Revoke(e); err != nil {
		return &core.UnavailableError{Err: fmt.Errorf("tokens: revoke access tokens: %w", err)}
	}
	return nil
}

// LogoutEverywhere ends all families of the principal with the given ID, on every
// machine that shares the store, with one write. A login while it runs may be ended
// too. With [WithRevocation] it also revokes the principal's access tokens from
// this issuer, however they were obtained, except those of the same second.
func (m *Manager) LogoutEverywhere(ctx context.Context, id string) error {
	if id == "" {
		return &core.InternalError{Err: errors.New("tokens: logout everywhere: the ID must not be empty")}
	}
	now := m.now()
	err := m.store.Commit(context.WithoutCancel(ctx), m.generationKey(id), []byte(rand.Text()), now.Add(m.absolute+generationSlack))
	if err != nil || m.revocations == nil {
		return err
	}
	return m.revoke(revoke.Entry{Subject: id, IssuedBefore: now.Truncate(time.Second).Add(-time.Second)}, now)
}

// Revocations is a list of what was revoked, such as a revoke.List or a
// revoke.File.
type Revocations interface {
	revoke.Checker
	Revoke(e revoke.Entry) error
}

// Revocation returns the checker to pass to jwtauth.WithRevocation: it knows the
// access tokens of families that have ended, and everything else in the list of
// [WithRevocation]. Without that option it returns nil, which jwtauth refuses.
func (m *Manager) Revocation() revoke.Checker {
	if m.revocations == nil {
		return nil
	}
	return familyChecker{m.revocations}
}

// familyChecker finds the family in the identifier of an access token.
type familyChecker struct{ list revoke.Checker }

// Revoked implements [revoke.Checker].
func (c familyChecker) Revoked(ctx context.Context, t revoke.Token) (bool, error) {
	if tag, _, ok := strings.Cut(t.ID, "."); ok {
		t := t
		t.ID = tag
		if revoked, err := c.list.Revoked(ctx, t); revoked || err != nil {
			return revoked, err
		}
	}
	return c.list.Revoked(ctx, t)
}
