package jwtauth

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// byForm is a verifier for two forms of token.
type byForm struct{ jwts, opaque prefixed }

// prefixed is a verifier and the prefixes of its IDs.
type prefixed struct {
	bearer.TokenVerifier
	prefixes []string
}

// boundByForm is a byForm of verifiers that also accept tokens bound to a key.
type boundByForm struct{ *byForm }

// boundVerifier is what package dpop requires of a verifier.
type boundVerifier interface {
	VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error)
}

func newPrefixed(v bearer.TokenVerifier) prefixed {
	p := prefixed{TokenVerifier: v}
	if of, ok := wrapped.As[interface{ IDPrefixes() []string }](v); ok {
		p.prefixes = of.IDPrefixes()
	}
	return p
}

// ByForm returns a verifier that passes tokens in the form of a JWT to jwts and all
// others to opaque, which usually asks the issuer (RFC 7662).
//
// A token has the form of a JWT if it has three parts separated by dots and the
// first decodes to something that begins like a JSON object. It then goes only to
// jwts, valid or not: opaque never gets a token that jwts has refused.
//
// If one of them has a [WithIDPrefix], or introspect.WithIDPrefix, the other's IDs that
// begin so are refused, as by [NewIssuers]. Verifiers of other packages name their
// prefixes by a method IDPrefixes() []string, or show the verifier that they wrap by
// Unwrap() bearer.TokenVerifier.
//
// If both have a method VerifyBoundToken, so has the result: give it to package dpop, too.
func ByForm(jwts, opaque bearer.TokenVerifier) (bearer.TokenVerifier, error) {
	if isnil.Value(jwts) || isnil.Value(opaque) {
		return nil, errors.New("jwtauth: a token verifier is nil")
	}
	v := &byForm{newPrefixed(jwts), newPrefixed(opaque)}
	_, one := jwts.(boundVerifier)
	if _, other := opaque.(boundVerifier); one && other {
		return &boundByForm{v}, nil
	}
	return v, nil
}

// IDPrefixes returns the prefixes of both.
func (v *byForm) IDPrefixes() []string { return slices.Concat(v.jwts.prefixes, v.opaque.prefixes) }

// VerifyToken implements [bearer.TokenVerifier].
func (v *byForm) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	by, others := v.of(token)
	p, err := by.VerifyToken(ctx, token)
	return by.own(p, err, others)
}

// VerifyBoundToken is like [Verifier.VerifyBoundToken].
func (v *boundByForm) VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error) {
	by, others := v.of(token)
	p, jkt, err = by.TokenVerifier.(boundVerifier).VerifyBoundToken(ctx, token)
	p, err = by.own(p, err, others)
	return p, jkt, err
}

// of returns the verifier for the form of token, and the other's prefixes.
func (v *byForm) of(token string) (by *prefixed, others []string) {
	if looksLikeJWT(token) {
		return &v.jwts, v.opaque.prefixes
	}
	return &v.opaque, v.jwts.prefixes
}

// own refuses a principal whose ID begins like those of the other verifier.
func (v *prefixed) own(p *core.Principal, err error, others []string) (*core.Principal, error) {
	if err == nil && p != nil && claims.PrefixOf(p.ID(), others) > claims.PrefixOf(p.ID(), v.prefixes) {
		return nil, refuseID(p)
	}
	return p, err
}

// looksLikeJWT reads only the first characters of the token's header, since the
// token's size is not bounded yet.
func looksLikeJWT(token string) bool {
	if strings.Count(token, ".") != 2 {
		return false
	}
	head, _, _ := strings.Cut(token, ".")
	var encoded [64]byte
	var text [48]byte
	n, err := base64.RawURLEncoding.Decode(text[:], encoded[:copy(encoded[:], head)])
	return err == nil && bytes.HasPrefix(bytes.TrimLeft(text[:n], " \t\r\n"), []byte("{"))
}
