package jwtauth

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/claims"
)

// VerifyBoundToken returns the principal that token proves together with a
// proof of possession of the key that the token is bound to: jkt is the
// SHA-256 thumbprint of that key in base64url (RFC 9449 §6.1, RFC 7638). The
// token alone proves nothing, so the caller has to check the proof.
//
// A token that is bound to no key, or also to something else, such as a
// certificate, is refused. Otherwise it is like [Verifier.VerifyToken].
func (v *Verifier) VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error) {
	return bound(v.verify(ctx, token, "DPoP", nil))
}

// bound returns the principal of a token that is bound to a key, and the key's
// thumbprint.
func bound(t *verified, err error) (p *core.Principal, jkt string, _ error) {
	if err != nil {
		return nil, "", err
	}
	if jkt, err = thumbprintOf(t.claims); err != nil {
		return nil, "", err
	}
	return t.principal, jkt, nil
}

// checkUnbound refuses a token that is bound to a key: a thief could send it as a
// Bearer token (RFC 9449 §7.2, RFC 8705 §3).
func checkUnbound(t *verified) error {
	if t.bound {
		return refuse(core.ReasonBadClaim, "the token is bound to a key (cnf), of which a Bearer token gives no proof")
	}
	return nil
}

// thumbprintOf returns the thumbprint of the key that a token is bound to.
func thumbprintOf(c claims.Set) (string, error) {
	jkt, err := claims.Thumbprint(c)
	if err != nil {
		return "", badClaim(err)
	}
	if jkt == "" {
		return "", refuse(core.ReasonBadClaim, "the token is not bound to a key: it has no cnf")
	}
	return jkt, nil
}
