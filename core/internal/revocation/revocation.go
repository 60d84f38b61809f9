// Package revocation identifies tokens for revocation, and asks whether somebody with two
// names is revoked.
package revocation

import (
	"context"
	"time"

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
