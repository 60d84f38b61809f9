package jwtauth

import (
	"context"

	"github.com/sallyport-go/sallyport/core/internal/revocation"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// WithRevocation asks c about every verified token, even one from the cache. A
// revoked token is refused with 401 and reason revoked; an error of c results in
// 503, since it is then unknown whether the token is revoked.
//
// c is asked by issuer, jti, subject and time of issue, never by the text of the
// token, which can be altered without invalidating it (an ECDSA signature has two
// forms). If the principal's ID is not the sub, as with [WithIDPrefix] or [WithID] and
// of clients, c is asked a second time, with the ID as the subject: it is the name
// that logs show. With this option a jti that is not a string is refused. A token without
// jti can be revoked only by its subject or its age.
func WithRevocation(c revoke.Checker) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithRevocation", option.Set(&v.revocations, c, "revocations are nil"))
	}
}

// identityOf returns what identifies a token for revocation, with the issuer's sub as
// the subject.
func (v *Verifier) identityOf(t *verified) (revoke.Token, error) {
	if v.revocations == nil {
		return revoke.Token{}, nil
	}
	id, err := revocation.TokenOf(t.claims, t.validity.iat, t.validity.exp)
	return id, badClaim(err)
}

func (v *Verifier) checkRevoked(ctx context.Context, t *verified) error {
	return revocation.Check(ctx, "jwtauth", v.revocations, t.identity, t.principal.ID())
}
