// Package revocation identifies tokens for revocation, asks whether somebody with two
// names is revoked, and refuses tokens that are.
package revocation

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// TokenOf returns what identifies a token with these claims, with the issuer's sub as the
// subject. One of its claims that is not a string is an error.
func TokenOf(c claims.Set, issued, expires time.Time) (revoke.Token, error) {
	t := revoke.Token{IssuedAt: issued, Expires: expires}
	for _, m := range [...]struct {
		name string
		to   *string
	}{{"iss", &t.Issuer}, {"sub", &t.Subject}, {"jti", &t.ID}} {
		s, err := claims.Text(c, claims.Path{m.name})
		if err != nil {
			return t, err
		}
		*m.to = s
	}
	return t, nil
}

// ByEitherName asks c about t. If t is not revoked, and other is another name of its
// subject, such as the principal's ID beside the issuer's sub, it asks about that too.
func ByEitherName(ctx context.Context, c revoke.Checker, t revoke.Token, other string) (revoked bool, err error) {
	revoked, err = c.Revoked(ctx, t)
	if err != nil || revoked || other == "" || other == t.Subject {
		return revoked, err
	}
	t.Subject = other
	return c.Revoked(ctx, t)
}

// Check refuses the token t of a principal with the given ID if c, which may be nil, calls
// it revoked, or cannot say. pkg is the name with which the error begins.
func Check(ctx context.Context, pkg string, c revoke.Checker, t revoke.Token, id string) error {
	if c == nil {
		return nil
	}
	switch revoked, err := ByEitherName(ctx, c, t, id); {
	case err != nil:
		return &core.UnavailableError{Err: fmt.Errorf("%s: asking whether a token is revoked: %w", pkg, err)}
	case revoked:
		return claims.Refuse(core.ReasonRevoked, "", fmt.Errorf("%s: the token with jti %.128q is revoked", pkg, t.ID))
	}
	return nil
}
