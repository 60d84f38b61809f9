// Package jwtauth verifies access tokens that are JSON Web Tokens (RFC 7519)
// signed as a JWS in compact form (RFC 7515), for the Bearer scheme of package
// bearer.
//
// The cryptography is the standard library's. Parsing is done here, and is stricter
// than RFC 7519 requires: one encoding for each token, one value for each member,
// one algorithm for each key. A token that could be read in two ways is refused
// (RFC 8725 §3).
//
// No key is ever taken from a token and no address in one is ever fetched: jwk,
// jku, x5c, x5u and x5t are ignored.
package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/cache"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/jws"
	"github.com/sallyport-go/sallyport/core/internal/tally"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// Verifier verifies the tokens of one issuer. It implements
// [bearer.TokenVerifier] and is safe for concurrent use.
type Verifier struct {
	keys KeySource

	terms    claims.Terms
	template *issuerTemplate // nil for the one issuer
	noExpiry bool
	lifetime time.Duration
	maxSize  int
	mapping  claims.Mapping

	algorithms  []*jws.Algorithm // nil for all that a key may have
	profile     bool
	revocations revoke.Checker
	anywhere    bool // for development keys
	cacheSize   int
	cache       *cache.Cache[*verified] // nil when off
	hits        tally.Counter
	misses      tally.Counter
	headers     headers
}

var _ bearer.TokenVerifier = (*Verifier)(nil)

// New returns a verifier of tokens signed by one of keys.
//
// [WithIssuer] or [WithIssuerTemplate], [WithAudience], and the exp claim of a
// token are required, unless explicitly switched off with [WithoutIssuer],
// [WithoutAudience] or [WithoutExpiry].
//
// The principal of a token that a client obtained for itself has the ID "client:"
// followed by the client; see [WithClientPrefix]. ID tokens and other tokens of the
// issuer that are not access tokens are refused as far as they can be recognized;
// see [WithAccessTokenProfile].
//
// It is an error to give an option for a single value twice. [WithAudience],
// [WithAlgorithms], [WithRoles] and [WithRolesFromKeys] add to earlier ones.
func New(keys KeySource, opts ...Option) (*Verifier, error) {
	if isnil.Value(keys) {
		return nil, errors.New("jwtauth: key source is nil")
	}
	v := &Verifier{
		keys:     keys,
		terms:    claims.NewTerms(),
		lifetime: 10 * 365 * 24 * time.Hour,
		maxSize:  16 << 10,

		cacheSize: defaultCacheSize,
	}
	if err := option.Apply(v, opts); err != nil {
		return nil, fmt.Errorf("jwtauth: %w", err)
	}
	if err := v.checkExpectations(); err != nil {
		return nil, fmt.Errorf("jwtauth: %w", err)
	}
	if v.cacheSize > 0 {
		v.cache = cache.New[*verified](v.cacheSize)
	}
	return v, nil
}

func (v *Verifier) checkExpectations() error {
	if v.template != nil && (v.terms.Issuer != "" || v.terms.AnyIssuer) {
		return errors.New("WithIssuerTemplate (issuer_template) beside WithIssuer or WithoutIssuer: choose one")
	}
	if v.profile && (v.terms.AnyIssuer || v.terms.AnyAudience || v.noExpiry) {
		return errors.New("WithAccessTokenProfile (access_token_profile) with WithoutIssuer, WithoutAudience (any_audience) or WithoutExpiry: RFC 9068 requires iss, aud and exp")
	}
	return v.terms.Check(v.template != nil)
}

// VerifyToken returns the principal that token proves.
//
// For a token that proves nobody it returns a [core.CredentialError] with code
// invalid_token, a reason and a fixed description; its cause is for observers. An
// error of the key source is returned wrapped, and one of the [WithRevocation]
// checker as a [core.UnavailableError].
//
// The order is fixed: size, form, header, key, signature, and only then the claims,
// which are not read before the signature is verified; then revocation, and last
// whether the key is a development key (see [WithDevelopmentKeysAnywhere]). For a
// token that passed before and is still in the cache ([WithCacheSize]), its key,
// its times and revocation are checked again.
func (v *Verifier) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	return unbound(v.verify(ctx, token, "Bearer", nil))
}

// KeepsNothing returns v. It tells package bearer that v keeps no part of a token's
// text, so that adapters of frameworks that reuse buffers need not copy it, and
// that v itself refuses any text that is not a b64token, so that bearer need not
// check.
func (v *Verifier) KeepsNothing() (of any) { return v }

// IDPrefixes returns the prefix of [WithIDPrefix], if there is one, as [ByForm] needs
// it.
func (v *Verifier) IDPrefixes() []string { return v.mapping.IDPrefixes() }

// unbound returns the principal of a token that is bound to no key.
func unbound(t *verified, err error) (*core.Principal, error) {
	if err != nil {
		return nil, err
	}
	if err := checkUnbound(t); err != nil {
		return nil, err
	}
	return t.principal, nil
}
