package jwtauth

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
)

// byForm is a verifier for two forms of tokens.
type byForm struct{ jwts, opaque bearer.TokenVerifier }

// ByForm verifies tokens that have the form of a JWT with jwts and all others
// with opaque, which asks the issuer as a rule (RFC 7662).
//
// A token has the form of a JWT when it has three parts between dots and the
// first decodes to what begins like a JSON object. It then goes to jwts alone,
// whether it is good or not: opaque is no second chance for what jwts refuses.
func ByForm(jwts, opaque bearer.TokenVerifier) (bearer.TokenVerifier, error) {
	if isnil.Value(jwts) || isnil.Value(opaque) {
		return nil, errors.New("jwtauth: a token verifier is nil")
	}
	return byForm{jwts, opaque}, nil
}

// VerifyToken implements [bearer.TokenVerifier].
func (v byForm) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	if looksLikeJWT(token) {
		return v.jwts.VerifyToken(ctx, token)
	}
	return v.opaque.VerifyToken(ctx, token)
}

// looksLikeJWT reads no more of the token than the first characters of its
// header, since its size is not bounded yet.
func looksLikeJWT(token string) bool {
	if strings.Count(token, ".") != 2 {
		return false
	}
	head, _, _ := strings.Cut(token, ".")
	head = head[:min(len(head), 64)]
	text, err := base64.RawURLEncoding.DecodeString(head)
	return err == nil && strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{")
}
