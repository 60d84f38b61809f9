package jwtauth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// verified is a token with a valid signature and valid claims. It is immutable.
type verified struct {
	principal *core.Principal
	claims    claims.Set
	bound     bool // to a key, by cnf
	validity  validity
	judged    time.Time // when the claims were checked
	identity  revoke.Token
	header    header
	key       *Key
	scheme    string

	// For the cache: the encoded header and payload, and the time from which the
	// token is valid.
	signed string
	from   time.Time
}

// verify checks everything but cnf, which is left to the caller. read holds the
// token's claims if they have been decoded already, and is nil otherwise.
func (v *Verifier) verify(ctx context.Context, token, scheme string, read claims.Set) (*verified, error) {
	if len(token) > v.maxSize {
		return nil, refuse(core.ReasonMalformed, "token of %d bytes, at most %d are accepted", len(token), v.maxSize)
	}
	if v.cache == nil || len(token) > maxCachedToken {
		return v.verifyNew(ctx, token, scheme, read)
	}
	return v.verifyKept(ctx, token, placeOf(token), scheme, read)
}

// verifyKept looks in the cache first.
func (v *Verifier) verifyKept(ctx context.Context, token string, at place, scheme string, read claims.Set) (*verified, error) {
	if t, err := v.recall(ctx, at, scheme); t != nil || err != nil {
		v.hits.Add()
		return t, err
	}
	v.misses.Add()
	t, err := v.verifyNew(ctx, token, scheme, read)
	if err == nil {
		v.remember(at, t)
	}
	return t, err
}

// verifyNew verifies a token that is not in the cache.
func (v *Verifier) verifyNew(ctx context.Context, token, scheme string, read claims.Set) (*verified, error) {
	t, err := v.open(ctx, token, read)
	if err != nil {
		return nil, err
	}
	t.scheme = scheme
	if err := v.checkClaims(t); err != nil {
		return nil, err
	}
	if err := v.checkRevoked(ctx, t); err != nil {
		return nil, err
	}
	if err := v.checkDevelopment(ctx, t.key); err != nil {
		return nil, err
	}
	return t, nil
}

// open checks the signature of a token and decodes its claims, unless read has
// them, without checking them.
func (v *Verifier) open(ctx context.Context, token string, read claims.Set) (*verified, error) {
	parts, err := split(token)
	if err != nil {
		return nil, err
	}
	h, err := v.headers.parse(parts.header)
	if err != nil {
		return nil, err
	}
	if err := v.checkHeader(h); err != nil {
		return nil, err
	}
	var room [512]byte // enough for signatures of all common keys
	signature, err := appendPart(room[:0], parts.signature)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "signature: %w", err)
	}
	key, err := v.signer(ctx, h, parts.signed, signature)
	if err != nil {
		return nil, err
	}
	v.headers.keep(parts.header, h)
	c := read
	if c == nil {
		if c, err = decodeClaims(parts.payload); err != nil {
			return nil, err
		}
	}
	_, bound := c["cnf"]
	return &verified{claims: c, bound: bound, header: h, key: key}, nil
}

// checkHeader applies what was configured for headers.
func (v *Verifier) checkHeader(h header) error {
	if v.algorithms != nil && !slices.Contains(v.algorithms, h.alg) {
		return refuse(core.ReasonBadAlgorithm, "header: algorithm %s is not one of %q", h.alg, v.algorithms)
	}
	if v.profile {
		return checkType(h.typ)
	}
	return nil
}

func decodeClaims(part string) (claims.Set, error) {
	c, err := decodeObject(part)
	if err != nil {
		return nil, refuse(core.ReasonMalformed, "claims: %w", err)
	}
	return c, nil
}

// signer returns the key that signed the token, if it is the one that may.
func (v *Verifier) signer(ctx context.Context, h header, signed string, signature []byte) (*Key, error) {
	key, err := v.key(ctx, h)
	if err == nil {
		bad := key.key.Verify(signed, signature)
		if bad == nil {
			return key, nil
		}
		err = refuse(core.ReasonBadSignature, "key %q: %w", key.id, bad)
	} else if !isReason(err, core.ReasonBadAlgorithm) {
		return nil, err
	}
	// The kid may now name another key.
	source, ok := v.keys.(renewer)
	if !ok {
		return nil, err
	}
	keys, failure := source.Renew(ctx, h.kid)
	if failure != nil {
		return nil, err
	}
	if other, none := v.choose(keys, h); none == nil && other != key && other.key.Verify(signed, signature) == nil {
		return other, nil
	}
	return nil, err
}

// renewer is a [KeySource] that can look for a new key under the same kid.
type renewer interface {
	Renew(ctx context.Context, kid string) ([]*Key, error)
}

// key returns the only key that may verify a token with header h. A key of another
// algorithm never does, whatever the token says (RFC 8725 §3.1).
func (v *Verifier) key(ctx context.Context, h header) (*Key, error) {
	keys, err := v.keys.Keys(ctx, h.kid)
	if err != nil {
		return nil, fmt.Errorf("jwtauth: keys for kid %q: %w", h.kid, err)
	}
	return v.choose(keys, h)
}

// choose selects the key that [Verifier.key] returns.
func (v *Verifier) choose(keys []*Key, h header) (*Key, error) {
	var found *Key
	named := false
	for _, k := range keys {
		if k == nil || h.kid != "" && k.id != h.kid || k.over(v.terms.Now) {
			continue
		}
		named = true
		if k.key.Algorithm() != h.alg {
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

// parts holds the parts of a JWS in compact form (RFC 7515 §7.1), still encoded.
type parts struct{ header, payload, signature, signed string }

// notSigned refuses a token that does not have the parts of a signed JWT.
func notSigned(token string) error {
	if strings.Count(token, ".") == 4 {
		return refuse(core.ReasonMalformed, "token does not have three parts but five, so it is encrypted (RFC 7516 §3.1): let the client ask the issuer for a token for this service, such as by its audience")
	}
	return refuse(core.ReasonMalformed, "token does not have three parts, so it is not a JWT: let the client ask the issuer for one, or verify opaque tokens with package introspect")
}

func split(token string) (parts, error) {
	if !challenge.IsToken68(token) { // not checked by the caller: see KeepsNothing
		return parts{}, refuse(core.ReasonMalformed, "not a b64token (RFC 6750 §2.1)")
	}
	first := strings.IndexByte(token, '.')
	last := strings.LastIndexByte(token, '.')
	if first < 0 || first == last || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return parts{}, notSigned(token)
	}
	return parts{
		header:    token[:first],
		payload:   token[first+1 : last],
		signature: token[last+1:],
		signed:    token[:last],
	}, nil
}
