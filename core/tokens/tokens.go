// Package tokens signs users in with tokens: a short-lived access token, which a
// [jwtsign.Signer] signs, and a refresh token that gets the next one. It has the
// endpoints for login, refresh and logout, which every adapter mounts with its
// function Serve, and works in two ways: tokens are in bodies, for apps and
// programs, or in cookies that scripts cannot read ([WithCookies]).
//
// # Rotation
//
// A refresh token is good once. With the access token comes its successor, and all
// tokens from one login on are a family. One that is presented again later than
// ten seconds after its first use was copied by somebody: the family ends, and
// whoever has any token of it must log in again (RFC 9700 §4.14.2). Within ten
// seconds, as when two tabs refresh at once or an answer was lost, it gets the same
// successor as before.
//
// A refresh token has a secret of 256 random bits that names its family, the
// number of the token in it, and a code that only the server can make for that
// number. The store has the secret as a hash, and the key of the code; so neither
// what is in the store nor an older token makes a newer one.
//
// # Several servers
//
// Any [session.Store] will do, and managers that share one must be configured
// alike. None has to be asked for an atomic exchange, because no two managers can
// disagree: the successor of a token is computed and the same on all of them, the
// record of a family is written at login, and after that only to end it, and the time of a token's first use
// is the time at which its first answer was being made, whoever writes it last. What a
// store must guarantee is
//
//   - that a Find which begins after a Commit or Delete has returned sees it: a
//     replica that lags behind is no place to read from;
//   - that no entry is dropped before it expires, and that a write which was
//     acknowledged survives a failover. A store that forgets what it had
//     acknowledged may forget a logout or the use of a token.
//
// The clocks of the servers must agree to a second or so, since ten are counted.
//
// # What a logout ends
//
// A logout ends the family at once. Access tokens that were issued are good until
// they expire, unless the verifier asks [Manager.Revocation] ([WithRevocation]).
package tokens

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/option"
)

// Reasons of refused refresh tokens beside those of package core:
// [core.ReasonMalformed], [core.ReasonBadSignature], [core.ReasonExpired] and
// [core.ReasonRevoked].
const (
	// ReasonUnknown is that of a token whose family has ended, or never was one
	// of the signer's issuer and audience.
	ReasonUnknown core.Reason = "unknown_refresh_token"
	// ReasonReused is that of a token that was used before and has just ended its
	// family.
	ReasonReused core.Reason = "refresh_token_reused"
)

const schemeName = "Bearer"

// Manager issues and exchanges tokens. It is made by [New] and safe for concurrent
// use.
type Manager struct {
	settings
	signer *jwtsign.Signer
	store  *sessionstore.Store
	scope  string // what tokens of other issuers and audiences are told apart by

	guard *core.Guard // whose answers are given
	exit  *core.Gate  // for logouts
}

// New makes a manager that signs access tokens with signer, whose issuer, audience
// and lifetime they have. By default families are in this process's memory, end
// after 7 days without a refresh and 30 days after the login, and tokens are in
// bodies.
func New(signer *jwtsign.Signer, opts ...Option) (*Manager, error) {
	if signer == nil {
		return nil, errors.New("tokens: signer is nil: make one with jwtsign.New")
	}
	s := defaults()
	if err := option.Apply(&s, opts); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	switch {
	case len(signer.Audience()) == 0:
		return nil, errors.New("tokens: the signer has no audience: name the services that tokens are for with jwtsign.WithAudience")
	case s.idle > s.absolute:
		return nil, fmt.Errorf("tokens: idle timeout %v is longer than the absolute one, %v", s.idle, s.absolute)
	case signer.Lifetime() > s.idle:
		return nil, fmt.Errorf("tokens: access tokens live for %v, longer than the idle timeout, %v", signer.Lifetime(), s.idle)
	case s.cookies == nil && (s.strict || s.persistent):
		return nil, errors.New("tokens: WithStrictSameSite and WithPersistentCookie are about cookies: add WithCookies")
	}
	if s.backend == nil {
		s.backend = sessionstore.NewMemory(s.now)
	}
	m := &Manager{settings: s, signer: signer, store: sessionstore.New(s.backend, s.storeTimeout), scope: scopeOf(signer)}
	if err := m.finish(); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return m, nil
}

// scopeOf is issuer and audience as one text that no others have.
func scopeOf(signer *jwtsign.Signer) string {
	var b strings.Builder
	for _, s := range append([]string{signer.Issuer()}, signer.Audience()...) {
		b.WriteString(strconv.Quote(s))
	}
	return b.String()
}

// finish makes the guard that answers.
func (m *Manager) finish() error {
	c, err := challenge.New(schemeName, challenge.Param{Name: "realm", Value: m.realm})
	if err != nil {
		return err
	}
	g, err := core.NewGuard([]core.Authenticator{leaving{m, []challenge.Challenge{c}}}, m.answers...)
	if err != nil {
		return err
	}
	m.guard = g
	m.exit, err = g.Optional()
	return err
}
