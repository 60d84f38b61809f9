package recipes

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"
)

// members are those of a JSON object.
type members = map[string]any

// kid names the key that all providers sign with.
const kid = "2026-11"

var privateKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func signingKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := privateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keySet is a JWK set with the public key, and more members in it.
func keySet(t *testing.T, more members) members {
	t.Helper()
	public := signingKey(t).PublicKey
	key := members{
		"kty": "RSA", "use": "sig", "kid": kid,
		"n": encoded(public.N.Bytes()), "e": encoded(big.NewInt(int64(public.E)).Bytes()),
	}
	maps.Copy(key, more)
	return members{"keys": []members{key}}
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign makes a token by RS256.
func sign(t *testing.T, header, claims members) string {
	t.Helper()
	signed := part(t, header) + "." + part(t, claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, signingKey(t), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encoded(signature)
}

func part(t *testing.T, v members) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return encoded(text)
}

// fresh is claims as a page shows them, as if they were issued a minute ago.
func fresh(t *testing.T, text string) members {
	t.Helper()
	var claims members
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for name := range claims {
		switch name {
		case "exp":
			claims[name] = time.Now().Add(5 * time.Minute).Unix()
		case "iat", "nbf", "auth_time":
			claims[name] = time.Now().Add(-time.Minute).Unix()
		}
	}
	return claims
}
