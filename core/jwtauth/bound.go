package jwtauth

import (
	"context"

	"github.com/sallyport-go/sallyport/core"
)

// otherConfirmations are the members of cnf (RFC 7800 §3, RFC 8705 §3.1) that
// bind a token to something else than a DPoP key.
var otherConfirmations = [...]string{"jwk", "jwe", "jku", "kid", "x5t#S256"}

// VerifyBoundToken returns the principal that token proves together with a
// proof of possession of the key that the token is bound to: jkt is the
// SHA-256 thumbprint of that key in base64url (RFC 9449 §6.1, RFC 7638). The
// token alone proves nothing, so the caller has to check the proof.
//
// A token that is bound to no key, or to something besides the key, such as a
// certificate, is refused. All else is as in [Verifier.VerifyToken].
func (v *Verifier) VerifyBoundToken(ctx context.Context, token string) (p *core.Principal, jkt string, err error) {
	return bound(v.verify(ctx, token, "DPoP"))
}

// bound is the principal of a token that is bound to a key, and that key.
func bound(t *verified, err error) (p *core.Principal, jkt string, _ error) {
	if err != nil {
		return nil, "", err
	}
	if jkt, err = thumbprintOf(t.claims); err != nil {
		return nil, "", err
	}
	return t.principal, jkt, nil
}

// checkUnbound refuses a token that is bound to a key: whoever has stolen it
// could send it as a Bearer token (RFC 9449 §7.2, RFC 8705 §3).
func checkUnbound(c claims) error {
	if _, bound := c["cnf"]; bound {
		return refuse(core.ReasonBadClaim, "the token is bound to a key (cnf), of which a Bearer token gives no proof")
	}
	return nil
}

// thumbprintOf is cnf.jkt, the only form of binding that can be confirmed here.
func thumbprintOf(c claims) (string, error) {
	v, ok := c["cnf"]
	if !ok {
		return "", refuse(core.ReasonBadClaim, "the token is not bound to a key: it has no cnf")
	}
	cnf, ok := v.(map[string]any)
	if !ok {
		return "", refuse(core.ReasonBadClaim, "cnf is not an object")
	}
	for _, name := range otherConfirmations {
		if _, ok := cnf[name]; ok {
			return "", refuse(core.ReasonBadClaim, "cnf: the token is bound by %s, which is not checked here", name)
		}
	}
	jkt, ok := cnf["jkt"].(string)
	if !ok {
		return "", refuse(core.ReasonBadClaim, "cnf: jkt is missing or not a string")
	}
	if sum, err := decodePart(jkt); err != nil || len(sum) != 32 {
		return "", refuse(core.ReasonBadClaim, "cnf: jkt is not a SHA-256 thumbprint in base64url")
	}
	return jkt, nil
}
