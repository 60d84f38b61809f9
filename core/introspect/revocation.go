package introspect

import (
	"context"

	"github.com/sallyport-go/sallyport/core/internal/revocation"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// WithRevocation asks c about every token that the server calls active, even one
// whose answer is cached: a revocation of this service's own then takes effect at
// once. A revoked token is refused with 401 and reason revoked; an error of c results
// in 503.
//
// c is asked by the members iss, jti, sub and iat of the answer, and a second time
// with the principal's ID as the subject if that is not the sub. An answer without
// iat counts as issued before anything: revoking its subject then ends tokens that
// are issued later as well, until the entry expires.
func WithRevocation(c revoke.Checker) Option {
	return func(v *Verifier) error {
		return v.terms.Given.Once("WithRevocation", option.Set(&v.revocations, c, "revocations are nil"))
	}
}

// identityOf returns what identifies a token for revocation.
func (v *Verifier) identityOf(a answer) (revoke.Token, error) {
	if v.revocations == nil {
		return revoke.Token{}, nil
	}
	return revocation.TokenOf(a.members, a.issued, a.expires)
}

// checkRevoked refuses a token that was revoked.
func (v *Verifier) checkRevoked(ctx context.Context, found verdict) error {
	return revocation.Check(ctx, "introspect", v.revocations, found.identity, found.principal.ID())
}
