// Package tokens signs users in with tokens: a short-lived access token, which a
// [jwtsign.Signer] signs, and a refresh token that gets the next one. It provides
// the endpoints for login, refresh and logout, which every adapter mounts with its
// function Serve. Tokens are sent in bodies, for apps and programs, or in cookies
// that scripts cannot read ([WithCookies]).
//
// # Rotation
//
// A refresh token works once. Its successor comes with the access token, and all
// tokens since one login form a family. A token that is presented more than ten
// seconds after its first use must have been copied: the family ends, and all
// holders of its tokens must log in again (RFC 9700 §4.14.2). Within ten seconds,
// as when two tabs refresh at once or a response was lost, it gets the same
// successor again.
//
// A refresh token has a secret of 256 random bits that names its family, the number
// of the token in it, and a code that only the server can make for that number. The
// store has a hash of the secret, and the key for the code; so neither the content
// of the store nor an older token is enough to make a newer one.
//
// # Several servers
//
// Any [session.Store] will do, and managers that share one must have the same
// configuration. No atomic exchange is needed, because managers cannot disagree:
// they all compute the same successor of a token; the record of a family is written
// at login, and after that only to end it; and the time of a token's first use is
// the time when its first response was prepared, whichever manager writes it last.
// A store must guarantee
//
//   - that a Find which begins after a Commit or Delete has returned sees it: a
//     replica that lags behind is no place to read from;
//   - that no entry is dropped before it expires, and that a write which was
//     acknowledged survives a failover. A store that forgets what it had
//     acknowledged may forget a logout or the use of a token.
//
// The clocks of the servers must agree to about a second, because of the limit of
// ten seconds.
//
// # What a logout ends
//
// A logout ends the family at once. Its access tokens are valid until they expire,
// unless the verifier asks [Manager.Revocation] ([WithRevocation]).
package tokens

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/sessionstore"
	"github.com/sallyport-go/sallyport/core/internal/signinform"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/option"
)

// Reasons for refusing refresh tokens, besides these of package core:
// [core.ReasonMalformed], [core.ReasonBadSignature], [core.ReasonExpired] and
// [core.ReasonRevoked].
const (
	// ReasonUnknown means that the token's family has ended, or never existed for
	// the signer's issuer and audience.
	ReasonUnknown core.Reason = "unknown_refresh_token"
	// ReasonReused means that the token was used before, which has ended its
	// family.
	ReasonReused core.Reason = "refresh_token_reused"
)

const schemeName = "Bearer"

// Manager issues and exchanges tokens. It is created by [New] and safe for
// concurrent use.
type Manager struct {
	settings
	signer *jwtsign.Signer
	store  *sessionstore.Store
	scope  string // keeps tokens of other issuers and audiences apart

	guard *core.Guard // makes the responses
	exit  *core.Gate  // for logouts
}

// New returns a manager that signs access tokens with signer, which sets their
// issuer, audience and lifetime. By default families are kept in this process's
// memory, end after 7 days without a refresh and 30 days after the login, and
// tokens are sent in bodies.
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
		return nil, errors.New("tokens: WithStrictSameSite and WithPersistentCookie require WithCookies")
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

// scopeOf returns an unambiguous combination of issuer and audience.
func scopeOf(signer *jwtsign.Signer) string {
	var b strings.Builder
	for _, s := range append([]string{signer.Issuer()}, signer.Audience()...) {
		b.WriteString(strconv.Quote(s))
	}
	return b.String()
}

// finish makes the guard that makes the responses.
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
	m.exit, err = signinform.Exit(g)
	return err
}
