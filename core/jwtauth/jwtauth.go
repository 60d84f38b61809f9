// Package jwtauth verifies access tokens that are JSON Web Tokens (RFC 7519)
// signed as a JWS in compact form (RFC 7515), for the Bearer scheme of package
// bearer.
//
// The cryptography is golang-jwt's. What stands around it is read here, and
// more strictly than RFC 7519 asks: one spelling for each token, one value for
// each member, one algorithm for each key. A token that two readers could
// understand in two ways is refused (RFC 8725 §3).
//
// No key is ever taken from a token and no address in one is ever asked: jwk,
// jku, x5c, x5u and x5t are ignored.
package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth/internal/strictjson"
)

// Verifier verifies the tokens of one issuer. It implements
// [bearer.TokenVerifier] and is safe for concurrent use.
type Verifier struct {
	keys KeySource

	issuer     string
	anyIssuer  bool
	audiences  []string
	anyAud     bool
	noExpiry   bool
	leeway     time.Duration
	lifetime   time.Duration
	maxSize    int
	now        func() time.Time
	roles      path
	scopes     path
	scopeArray bool
	tenant     path
}

var _ bearer.TokenVerifier = (*Verifier)(nil)

// New makes a verifier of tokens signed by one of keys.
//
// [Issuer] and [Audience] are required, and so is the exp claim of a token,
// each unless it is switched off on purpose with [WithoutIssuer],
// [WithoutAudience] or [WithoutExpiry].
func New(keys KeySource, opts ...Option) (*Verifier, error) {
	if keys == nil || reflect.ValueOf(keys).Kind() == reflect.Pointer && reflect.ValueOf(keys).IsNil() {
		return nil, errors.New("jwtauth: key source is nil")
	}
	v := &Verifier{
		keys:     keys,
		leeway:   30 * time.Second,
		lifetime: 10 * 365 * 24 * time.Hour,
		maxSize:  16 << 10,
		now:      time.Now,
		roles:    path{"roles"},
		scopes:   path{"scope"},
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("jwtauth: option %d is nil", i+1)
		}
		if err := opt(v); err != nil {
			return nil, fmt.Errorf("jwtauth: %w", err)
		}
	}
	if err := v.checkExpectations(); err != nil {
		return nil, fmt.Errorf("jwtauth: %w", err)
	}
	return v, nil
}

func (v *Verifier) checkExpectations() error {
	switch {
	case v.issuer == "" && !v.anyIssuer:
		return errors.New("no issuer: name it with Issuer, or accept any with WithoutIssuer")
	case v.issuer != "" && v.anyIssuer:
		return errors.New("both Issuer and WithoutIssuer: choose one")
	case len(v.audiences) == 0 && !v.anyAud:
		return errors.New("no audience: name it with Audience, or accept any with WithoutAudience")
	case len(v.audiences) > 0 && v.anyAud:
		return errors.New("both Audience and WithoutAudience: choose one")
	}
	return nil
}

// VerifyToken returns the principal that token proves.
//
// Every token that proves nobody is a [core.CredentialError] with code
// invalid_token, a reason and a fixed description; the cause in it is for
// observers. An error of the key source is returned wrapped.
//
// The order is fixed: size, form, header, key, signature, and only then the
// claims, of which nothing is seen before the signature fits.
func (v *Verifier) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	c, err := v.claims(ctx, token)
	if err != nil {
		return nil, err
	}
	p, err := v.principal(c, "Bearer")
	if err != nil {
		return nil, err
	}
	if err := checkUnbound(c); err != nil {
		return nil, err
	}
	return p, nil
}

// claims are those of a token whose signature fits, not judged yet.
func (v *Verifier) claims(ctx context.Context, token string) (claims, error) {
	if len(token) > v.maxSize {
		return nil, refuse(core.ReasonMalformed, "token of %d bytes, at most %d are accepted", len(token), v.maxSize)
	}
	parts, err := split(token)
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(parts.header)
	if err != nil {
		return nil, err
	}
	signature, err := decodePart(parts.signature)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "signature: %w", err)
	}
	key, err := v.key(ctx, h)
	if err != nil {
		return nil, err
	}
	if err := key.verify(parts.signed, signature); err != nil {
		return nil, refuse(core.ReasonBadSignature, "key %q: %w", key.id, err)
	}
	payload, err := decodePart(parts.payload)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "claims: %w", err)
	}
	c, err := strictjson.Decode(string(payload))
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "claims: %w", err)
	}
	return c, nil
}

// key is the one key that may verify a token with header h. A key of another
// algorithm never does, whatever the token says (RFC 8725 §3.1).
func (v *Verifier) key(ctx context.Context, h header) (*Key, error) {
	keys, err := v.keys.Keys(ctx, h.kid)
	if err != nil {
		return nil, fmt.Errorf("jwtauth: keys for kid %q: %w", h.kid, err)
	}
	var found *Key
	named := false
	for _, k := range keys {
		if k == nil || h.kid != "" && k.id != h.kid {
			continue
		}
		named = true
		if k.alg != h.alg {
			continue
		}
		if found != nil {
			return nil, refuse(core.ReasonUnknownKey, "kid %q, algorithm %s: more than one key fits", h.kid, h.alg)
		}
		found = k
	}
	switch {
	case !named:
		return nil, refuse(core.ReasonUnknownKey, "no key with kid %q", h.kid)
	case found == nil:
		return nil, refuse(core.ReasonBadAlgorithm, "kid %q: no key is for algorithm %s", h.kid, h.alg)
	}
	return found, nil
}

// parts are the parts of a JWS in compact form (RFC 7515 §7.1), still encoded.
type parts struct{ header, payload, signature, signed string }

func split(token string) (parts, error) {
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first < 0 || first == last || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return parts{}, refuse(core.ReasonMalformed, "token does not have three parts")
	}
	return parts{
		header:    token[:first],
		payload:   token[first+1 : last],
		signature: token[last+1:],
		signed:    token[:last],
	}, nil
}
