package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"
)

// Algorithms by kind of key. Keys of the first kind are published in the JWK set, those
// of the second are shared.
var (
	publicAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
	secretAlgorithms = []string{"HS256", "HS384", "HS512"}
)

// keys are the issuer's signing keys, and those of a stranger.
type keys struct {
	signing map[string]any // by algorithm: a crypto.Signer or a []byte
	foreign map[string]any // the same, of a stranger
}

// newKeys generates an RSA key, a key for each curve and a secret for each HMAC
// algorithm, and a second set for the stranger.
func newKeys(t testing.TB) *keys {
	t.Helper()
	k := &keys{signing: map[string]any{}, foreign: map[string]any{}}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, alg := range publicAlgorithms[:6] {
		k.signing[alg] = rsaKey
	}
	for _, to := range []map[string]any{k.signing, k.foreign} {
		for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			to[alg] = key
		}
		_, edKey, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		to["EdDSA"] = edKey
		for _, alg := range secretAlgorithms {
			secret := make([]byte, 64)
			_, _ = rand.Read(secret) // never fails
			to[alg] = secret
		}
	}
	return k
}

// public is the public half of the key for alg.
func (k *keys) public(t testing.TB, alg string) crypto.PublicKey {
	t.Helper()
	signer, ok := k.signing[alg].(crypto.Signer)
	if !ok {
		t.Fatalf("%s has no public key", alg)
	}
	return signer.Public()
}

// kid names the key for alg.
func kid(alg string) string { return "key-" + alg }

// jwk returns the members of a public key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
func (k *keys) jwk(t testing.TB, alg string) map[string]any {
	t.Helper()
	members := map[string]any{"kid": kid(alg), "alg": alg, "use": "sig", "key_ops": []string{"verify"}}
	switch key := k.public(t, alg).(type) {
	case *rsa.PublicKey:
		members["kty"] = "RSA"
		members["n"] = base64url(key.N.Bytes())
		members["e"] = base64url(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, then both coordinates at full length
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		members["kty"], members["crv"] = "EC", key.Params().Name
		members["x"], members["y"] = base64url(point[1:1+half]), base64url(point[1+half:])
	case ed25519.PublicKey:
		members["kty"], members["crv"], members["x"] = "OKP", "Ed25519", base64url(key)
	default:
		t.Fatalf("no JWK of a %T", key)
	}
	return members
}

// jwks is the issuer's published set: all its public keys.
func (k *keys) jwks(t testing.TB) []byte {
	t.Helper()
	list := make([]map[string]any, len(publicAlgorithms))
	for i, alg := range publicAlgorithms {
		list[i] = k.jwk(t, alg)
	}
	return setOf(t, list...)
}

// setOf is a JWK set of keys.
func setOf(t testing.TB, list ...map[string]any) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
