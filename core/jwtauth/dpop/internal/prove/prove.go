// Package prove makes DPoP proofs for tests, good ones and others, with the
// standard library alone, so that a proof's fate does not hang on the code that
// judges it.
package prove

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/jwstest"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// Members are the members of a JSON object.
type Members map[string]any

// Key is a key pair on P-256. It is immutable and safe for concurrent use.
type Key struct {
	private *ecdsa.PrivateKey
	x, y    string
}

// NewKey makes a key.
func NewKey(t testing.TB) *Key {
	t.Helper()
	private := must.Have(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	point := must.Have(private.PublicKey.Bytes())(t)
	return &Key{private, encode(point[1:33]), encode(point[33:])}
}

// JWK is the public key (RFC 7517).
func (k *Key) JWK() Members {
	return Members{"kty": "EC", "crv": "P-256", "x": k.x, "y": k.y}
}

// Thumbprint is the key's, by RFC 7638.
func (k *Key) Thumbprint() string {
	return Hash(fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, k.x, k.y))
}

// Hash is the SHA-256 hash of text in base64url, as ath has it.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:])
}

// Proof is a proof before it is signed.
type Proof struct{ Header, Claims Members }

// Proof is a good proof for a request with token, made at now.
func (k *Key) Proof(method, uri, token string, now time.Time) Proof {
	return Proof{
		Header: Members{"typ": "dpop+jwt", "alg": "ES256", "jwk": k.JWK()},
		Claims: Members{"jti": rand.Text(), "htm": method, "htu": uri, "iat": now.Unix(), "ath": Hash(token)},
	}
}

// Sign signs a proof.
func (k *Key) Sign(t testing.TB, p Proof) string {
	t.Helper()
	header := must.Have(json.Marshal(p.Header))(t)
	claims := must.Have(json.Marshal(p.Claims))(t)
	return k.SignText(t, string(header), string(claims))
}

// SignText signs a header and claims just as they are spelt.
func (k *Key) SignText(t testing.TB, header, claims string) string {
	t.Helper()
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature := must.Have(jwstest.Sign("ES256", k.private, text))(t)
	return text + "." + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
