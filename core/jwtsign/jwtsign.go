// Package jwtsign signs access tokens by RFC 9068: JSON Web Tokens that package
// jwtauth, or any other verifier of that profile, can verify. It generates keys,
// reads and writes them, and rotates them while a service runs.
//
// The kid of a token is the thumbprint of its key (RFC 7638), so that a new key
// never has the name of an old one. [Signer.JWKS] returns the JWK set to publish;
// it contains only public keys.
//
//	key, err := jwtsign.OpenPEM("signing.pem")
//	...
//	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("reports"))
//	...
//	token, err := signer.Sign(jwtsign.Token{Subject: "erin", Scopes: []string{"reports:read"}})
package jwtsign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/option"
)

const (
	defaultLifetime = 10 * time.Minute
	maxLifetime     = 3650 * 24 * time.Hour // as package jwtauth takes it
)

// Signer signs tokens of one issuer. It is also the [jwtauth.KeySource] of the keys
// it has signed with. It is created by [New] and safe for concurrent use, even
// while [Signer.Rotate] and [Signer.Load] replace its key.
type Signer struct {
	issuer   string
	audience []string
	client   string
	lifetime time.Duration
	now      func() time.Time

	rotating sync.Mutex // orders what replaces keys
	keys     atomic.Pointer[keyring]
	former   []*jwtauth.Key // until the first keyring exists
}

var _ jwtauth.KeySource = (*Signer)(nil)

// keyring is the signing key, and the set of all keys that verify. It is immutable.
type keyring struct {
	signing *Key
	set     *jwtauth.KeySet
}

// Option configures a [Signer].
type Option func(*Signer) error

// WithIssuer names the issuer, which is the iss of every token. It is required.
func WithIssuer(iss string) Option {
	return func(s *Signer) error {
		if s.issuer != "" {
			return errors.New("the issuer is given twice")
		}
		s.issuer = iss
		return checkText("issuer", iss)
	}
}

// WithAudience names the services that tokens are for, which is the aud of every
// token that does not name its own.
func WithAudience(aud ...string) Option {
	return func(s *Signer) error {
		if len(aud) == 0 {
			return errors.New("audience is empty")
		}
		for _, a := range aud {
			if err := checkText("audience", a); err != nil {
				return err
			}
		}
		s.audience = append(s.audience, aud...)
		return nil
	}
}

// WithClient names the client that tokens are issued to, which is the client_id
// of every token that does not name its own; the issuer by default. No user may
// have the name of a client: a token whose sub is its client_id is one of the
// client itself (RFC 9068 §2.2).
func WithClient(id string) Option {
	return func(s *Signer) error {
		s.client = id
		return checkText("client", id)
	}
}

// WithLifetime sets the default lifetime of tokens: 10 minutes by default, at least
// one second and at most 3650 days.
func WithLifetime(d time.Duration) Option {
	return func(s *Signer) error {
		s.lifetime = d
		return checkLifetime(d)
	}
}

// WithFormerKeys adds keys that have signed before and still verify, such as those
// of a JWK set on disk. Keys past their time are omitted.
func WithFormerKeys(keys ...*jwtauth.Key) Option {
	return func(s *Signer) error {
		s.former = append(s.former, keys...)
		return nil
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(s *Signer) error { return option.Set(&s.now, now, "clock is nil") }
}

// New returns a signer that signs with key. [WithIssuer] is required.
func New(key *Key, opts ...Option) (*Signer, error) {
	if key == nil {
		return nil, errors.New("jwtsign: key is nil")
	}
	s := &Signer{lifetime: defaultLifetime, now: time.Now}
	if err := option.Apply(s, opts); err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	if s.issuer == "" {
		return nil, errors.New("jwtsign: no issuer: name it with WithIssuer")
	}
	s.client = cmp.Or(s.client, s.issuer)
	ring, err := s.ring(key, s.former)
	if err != nil {
		return nil, err
	}
	s.keys.Store(ring)
	return s, nil
}

// ring is a key that signs with those of the others that still verify.
func (s *Signer) ring(signing *Key, others []*jwtauth.Key) (*keyring, error) {
	keys, now := []*jwtauth.Key{signing.public}, s.now()
	for _, k := range others {
		if k != nil && k.ID() == signing.ID() {
			continue
		}
		if k == nil || k.Until().IsZero() || now.Before(k.Until()) {
			keys = append(keys, k)
		}
	}
	set, err := jwtauth.NewKeySet(keys...)
	if err != nil {
		return nil, fmt.Errorf("jwtsign: %w", err)
	}
	return &keyring{signing, set}, nil
}

// Rotate makes next the signing key. The previous key keeps verifying for the time
// keep, which should cover the lifetime of its tokens and the time that caches keep
// the set; zero removes it at once. Rotating to the current signing key has no
// effect.
//
// Verifiers with a copy of [Signer.JWKS] do not know the new key until they fetch
// the set again: package jwtauth does so when a token names an unknown key.
func (s *Signer) Rotate(next *Key, keep time.Duration) error {
	switch {
	case next == nil:
		return errors.New("jwtsign: key is nil")
	case keep < 0:
		return fmt.Errorf("jwtsign: the former key cannot be kept for %v", keep)
	}
	s.rotating.Lock()
	defer s.rotating.Unlock()
	now := s.keys.Load()
	if now.signing.ID() == next.ID() && now.signing.Algorithm() == next.Algorithm() {
		return nil
	}
	others := now.set.All()
	for i, k := range others {
		if k.ID() == now.signing.ID() {
			others[i] = k.EndingAt(s.now().Add(keep))
		}
	}
	ring, err := s.ring(next, others)
	if err != nil {
		return err
	}
	s.keys.Store(ring)
	return nil
}

// Load rotates to the private key in data, parsed by [ParsePEM], so that a PEM file
// can be replaced while the service runs: pass the signer to watch.Load. The former
// key is kept for twice the lifetime of tokens and at least an hour. If it returns
// an error, nothing has changed.
func (s *Signer) Load(name string, data []byte) error {
	key, err := ParsePEM(name, data)
	if err != nil {
		return err
	}
	return s.Rotate(key, max(2*s.lifetime, time.Hour))
}

// Issuer returns the iss of the tokens.
func (s *Signer) Issuer() string { return s.issuer }

// Client returns the client_id of tokens that do not name their own.
func (s *Signer) Client() string { return s.client }

// Audience returns the aud of tokens that do not name their own, or nil. It must
// not be modified.
func (s *Signer) Audience() []string { return s.audience }

// Lifetime returns the lifetime of tokens that do not set their own.
func (s *Signer) Lifetime() time.Duration { return s.lifetime }

// Key returns the current signing key.
func (s *Signer) Key() *Key { return s.keys.Load().signing }

// Keys implements [jwtauth.KeySource], for a verifier of the tokens in the same
// program.
func (s *Signer) Keys(ctx context.Context, kid string) ([]*jwtauth.Key, error) {
	return s.keys.Load().set.Keys(ctx, kid)
}

// JWKS returns the JWK set to publish (RFC 7517 §5): the signing key first, then
// those that still verify.
func (s *Signer) JWKS() ([]byte, error) {
	now := s.keys.Load()
	ring, err := s.ring(now.signing, now.set.All())
	if err != nil {
		return nil, err
	}
	return ring.set.MarshalJSON()
}
