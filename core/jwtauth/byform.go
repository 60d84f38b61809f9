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

// byForm is a verifier for two forms of token.
type byForm struct{ jwts, opaque bearer.TokenVerifier }

// ByForm returns a verifier that passes tokens in the form of a JWT to jwts and all
// others to opaque, which usually asks the issuer (RFC 7662).
//
// A token has the form of a JWT if it has three parts separated by dots and the
// first decodes to something that begins like a JSON object. It then goes only to
// jwts, valid or not: opaque never gets a token that jwts has refused.
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

// looksLikeJWT reads only the first characters of the token's header, since the
// token's size is not bounded yet.
func looksLikeJWT(token string) bool {
	if strings.Count(token, ".") != 2 {
		return false
	}
	head, _, _ := strings.Cut(token, ".")
	head = head[:min(len(head), 64)]
	text, err := base64.RawURLEncoding.DecodeString(head)
	return err == nil && strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{")
}
