// Package revocation asks whether somebody with two names is revoked.
package revocation

import (
	"context"

	"github.com/sallyport-go/sallyport/core/revoke"
)

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
