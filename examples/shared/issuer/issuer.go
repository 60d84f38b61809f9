// Package issuer makes keys and access tokens for the examples. In production
// an identity provider does this; a service only ever sees its public keys.
package issuer

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// keyID is the kid of every issuer's one key, so that a token of another issuer
// picks the right key and fails by its signature.
const keyID = "demo"

// Issuer signs access tokens with a key of its own. It is safe for concurrent
// use.
type Issuer struct {
	name, audience string
	key            ed25519.PrivateKey
}

// New makes an issuer with a fresh Ed25519 key. Its tokens carry name as iss
// and audience as aud.
func New(name, audience string) (*Issuer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	return &Issuer{name: name, audience: audience, key: key}, nil
}

// Name is the iss of the tokens.
func (i *Issuer) Name() string { return i.name }

// Audience is the aud of the tokens.
func (i *Issuer) Audience() string { return i.audience }

// For is the issuer with the same key and tokens for another audience.
func (i *Issuer) For(audience string) *Issuer {
	return &Issuer{name: i.name, audience: audience, key: i.key}
}

// KeySet is the public key as a JWK set (RFC 7517 §5, RFC 8037 §2).
func (i *Issuer) KeySet() ([]byte, error) {
	public, err := i.public()
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"keys": []any{jwk(public)}})
}

func (i *Issuer) public() (ed25519.PublicKey, error) {
	public, ok := i.key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the public key is a %T, not an Ed25519 key", i.key.Public())
	}
	return public, nil
}

func jwk(public ed25519.PublicKey) map[string]string {
	return map[string]string{
		"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": keyID,
		"x": base64.RawURLEncoding.EncodeToString(public),
	}
}

// Token is a signed token for subject with further claims, good for lifetime
// from now. A negative lifetime makes one that has expired.
func (i *Issuer) Token(subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	return i.sign(jwt.SigningMethodEdDSA, i.key, subject, lifetime, claims)
}

func (i *Issuer) sign(method jwt.SigningMethod, key any, subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	return i.signAs(map[string]any{"kid": keyID}, method, key, subject, lifetime, claims)
}

// signAs signs with further members in the header.
func (i *Issuer) signAs(header map[string]any, method jwt.SigningMethod, key any, subject string, lifetime time.Duration, claims map[string]any) (string, error) {
	token := jwt.NewWithClaims(method, jwt.MapClaims(i.claims(subject, lifetime, claims)))
	maps.Copy(token.Header, header)
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s: %w", subject, err)
	}
	return signed, nil
}

// claims are those of every token, and further ones.
func (i *Issuer) claims(subject string, lifetime time.Duration, further map[string]any) map[string]any {
	now := time.Now()
	all := map[string]any{}
	maps.Copy(all, further)
	maps.Copy(all, map[string]any{
		"iss": i.name, "aud": i.audience, "sub": subject,
		"iat": now.Add(min(lifetime, 0)).Unix(), "exp": now.Add(lifetime).Unix(),
	})
	return all
}
