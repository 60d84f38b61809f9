package issuer

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// The methods of this file make tokens that no service may accept (RFC 8725).

// Unsigned is a token with the algorithm "none" (RFC 7519 §6).
func (i *Issuer) Unsigned(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	return i.sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, subject, lifetime, claims)
}

// SignedWithPublicKey is a token with HS256, the secret of which is the public
// key: good for a verifier that takes the algorithm from the token (RFC 8725
// §2.1).
func (i *Issuer) SignedWithPublicKey(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(i.key.Public())
	if err != nil {
		return "", fmt.Errorf("encode the public key: %w", err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return i.sign(jwt.SigningMethodHS256, secret, subject, lifetime, claims)
}

// WithItsOwnKey is a token that brings the key it is signed with in its header
// (RFC 7515 §4.1.3).
func (i *Issuer) WithItsOwnKey(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	public, err := i.public()
	if err != nil {
		return "", err
	}
	return i.signAs(map[string]any{"kid": keyID, "jwk": jwk(public)}, jwt.SigningMethodEdDSA, i.key, subject, lifetime, claims)
}

// WithUnknownKey is a token that names a key that the issuer does not publish.
func (i *Issuer) WithUnknownKey(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	return i.signAs(map[string]any{"kid": "retired"}, jwt.SigningMethodEdDSA, i.key, subject, lifetime, claims)
}
