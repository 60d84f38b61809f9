package jwtauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
}

func TestSecretsAreLongEnough(t *testing.T) { // E23
	for _, tc := range []struct {
		alg  string
		size int
		want string // "" to pass
	}{
		{"HS256", 32, ""},
		{"HS256", 31, "too short"},
		{"HS384", 48, ""},
		{"HS384", 47, "too short"},
		{"HS512", 64, ""},
		{"HS512", 63, "too short"},
		{"HS256", 0, "too short"},
		{"RS256", 64, "does not take a secret"},
		{"", 64, "does not take a secret"},
		{"none", 64, "does not take a secret"},
	} {
		key, err := jwtauth.HMACKey("k", tc.alg, secret[:tc.size])
		if tc.want != "" {
			wantError(t, err, tc.want)
		} else if err != nil || key.ID() != "k" || key.Algorithm() != tc.alg {
			t.Errorf("%s with %d bytes: %v", tc.alg, tc.size, err)
		}
	}
	_, err := jwtauth.HMACKey(strings.Repeat("k", 257), "HS256", secret)
	wantError(t, err, "kid of 257 bytes")
}

func TestSecretIsCopied(t *testing.T) {
	own := []byte(string(secret))
	key := must(jwtauth.HMACKey("", "HS256", own))
	clear(own)
	wantReason(t, newVerifier(t, set(t, key)), hs256(t, goodClaims), "")
}

func TestRSAKeysAreStrongEnough(t *testing.T) { // E23
	good := signers()["RS256"].(*rsa.PrivateKey).N
	bits := func(n uint) *big.Int { return new(big.Int).SetBit(big.NewInt(1), int(n)-1, 1) }
	for _, tc := range []struct {
		name string
		n    *big.Int
		e    int
		alg  string
		want string
	}{
		{"good", good, 65537, "RS256", ""},
		{"exponent 3", good, 3, "PS512", ""},
		{"2048 bits", bits(2048), 65537, "RS256", ""},
		{"2047 bits", bits(2047), 65537, "RS256", "too weak"},
		{"1024 bits", bits(1024), 65537, "RS256", "too weak"},
		{"zero", new(big.Int), 65537, "RS256", "too weak"},
		{"nil", nil, 65537, "RS256", "empty"},
		{"16385 bits", bits(16385), 65537, "RS256", "too large"},
		{"even modulus", new(big.Int).SetBit(good, 0, 0), 65537, "RS256", "even"},
		{"negative modulus", new(big.Int).Neg(good), 65537, "RS256", "negative"},
		{"exponent 0", good, 0, "RS256", "exponent 0"},
		{"exponent 1", good, 1, "RS256", "exponent 1"},
		{"exponent 2", good, 2, "RS256", "exponent 2"},
		{"even exponent", good, 65536, "RS256", "exponent 65536"},
		{"negative exponent", good, -3, "RS256", "exponent -3"},
		{"exponent over 31 bits", good, 1<<31 + 1, "RS256", "exponent"},
		{"no algorithm", good, 65537, "", "needs one of the algorithms"},
		{"E03 algorithm of another kind", good, 65537, "ES256", "needs one of the algorithms"},
		{"E02 HMAC", good, 65537, "HS256", "needs one of the algorithms"},
		{"encryption", good, 65537, "RSA-OAEP", "needs one of the algorithms"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := jwtauth.PublicKey("", tc.alg, &rsa.PublicKey{N: tc.n, E: tc.e})
			if tc.want != "" {
				wantError(t, err, tc.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPublicKeysOfOtherKinds(t *testing.T) {
	p256 := signers()["ES256"].(*ecdsa.PrivateKey).PublicKey
	off := ecdsa.PublicKey{Curve: p256.Curve, X: p256.X, Y: new(big.Int).Add(p256.Y, big.NewInt(1))}
	ed := signers()["EdDSA"].(ed25519.PrivateKey).Public().(ed25519.PublicKey)
	for _, tc := range []struct {
		name, alg string
		key       crypto.PublicKey
		want      string
		wantAlg   string
	}{
		{"P-256", "", &p256, "", "ES256"},
		{"P-256 named", "ES256", &p256, "", "ES256"},
		{"Ed25519", "", ed, "", "EdDSA"},
		{"E24 algorithm of another curve", "ES512", &p256, "is for ES256", ""},
		{"Ed25519 for ES256", "ES256", ed, "is for EdDSA", ""},
		{"E24 off the curve", "", &off, "ECDSA key", ""},
		{"P-224", "", &must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).PublicKey, "not supported", ""},
		{"empty ECDSA", "", &ecdsa.PublicKey{}, "empty", ""},
		{"nil ECDSA", "", (*ecdsa.PublicKey)(nil), "empty", ""},
		{"nil RSA", "RS256", (*rsa.PublicKey)(nil), "empty", ""},
		{"short Ed25519", "", ed[:31], "31 bytes", ""},
		{"private key", "", signers()["ES256"], "not supported", ""},
		{"secret", "HS256", secret, "not supported", ""},
		{"nil", "", nil, "not supported", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, err := jwtauth.PublicKey("k", tc.alg, tc.key)
			if tc.want != "" {
				wantError(t, err, tc.want)
			} else if err != nil || key.Algorithm() != tc.wantAlg {
				t.Errorf("key %v, error %v", key, err)
			}
		})
	}
}

func TestKeySetRefusesAmbiguity(t *testing.T) {
	a, b := verificationKey(t, "a", "RS256"), verificationKey(t, "b", "ES256")
	hmac := verificationKey(t, "h", "HS256")
	for _, tc := range []struct {
		name string
		keys []*jwtauth.Key
		want string
	}{
		{"empty", nil, "empty"},
		{"nil key", []*jwtauth.Key{a, nil}, "key 2: is nil"},
		{"zero key", []*jwtauth.Key{{}}, "key 1: is nil or was not made"},
		{"E07 one kid twice", []*jwtauth.Key{a, b, verificationKey(t, "a", "RS256")}, `key 3 (kid "a"): this kid is in the set twice`},
		{"E07 one kid for two algorithms", []*jwtauth.Key{a, verificationKey(t, "a", "ES256")}, `key 2 (kid "a")`},
		{"E02 secret after public key", []*jwtauth.Key{a, hmac}, `key 2 (kid "h"): a secret and a public key`},
		{"E02 public key after secret", []*jwtauth.Key{hmac, a}, `key 2 (kid "a"): a secret and a public key`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := jwtauth.NewKeySet(tc.keys...)
			wantError(t, err, tc.want)
		})
	}
}

func TestPEM(t *testing.T) {
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	rsaKey := signers()["RS256"].(*rsa.PrivateKey)
	pkix := must(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey))
	ec := must(x509.MarshalPKIXPublicKey(&signers()["ES256"].(*ecdsa.PrivateKey).PublicKey))
	ed := must(x509.MarshalPKIXPublicKey(signers()["EdDSA"].(crypto.Signer).Public()))
	weak := must(x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}))
	for _, tc := range []struct{ name, alg, data, want string }{
		{"RSA", "RS256", block("PUBLIC KEY", pkix), ""},
		{"RSA, PKCS #1", "RS256", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)), ""},
		{"ECDSA", "", block("PUBLIC KEY", ec), ""},
		{"Ed25519", "", block("PUBLIC KEY", ed) + "\n\n", ""},
		{"RSA without algorithm", "", block("PUBLIC KEY", pkix), "needs one of the algorithms"},
		{"E23 weak", "RS256", block("PUBLIC KEY", weak), "too weak"},
		{"no PEM", "", "ssh-rsa AAAA", "no PEM block"},
		{"empty", "", "", "no PEM block"},
		{"two blocks", "", block("PUBLIC KEY", ec) + block("PUBLIC KEY", ed), "text after"},
		{"private key", "RS256", block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey))), "this is a private key; publish only the public part"},
		{"private key, PKCS #1", "RS256", block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "this is a private key"},
		{"certificate", "RS256", block("CERTIFICATE", pkix), "this is a certificate"},
		{"other block", "RS256", block("X509 CRL", pkix), `"X509 CRL" is not supported`},
		{"broken", "RS256", block("PUBLIC KEY", pkix[:40]), "PUBLIC KEY"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			keys, err := jwtauth.KeySetFromPEM("issuer.pem", "k1", tc.alg, []byte(tc.data))
			if tc.want != "" {
				wantError(t, err, tc.want)
				wantError(t, err, "issuer.pem: ")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			alg := map[string]string{"RSA": "RS256", "RSA, PKCS #1": "RS256", "ECDSA": "ES256", "Ed25519": "EdDSA"}[tc.name]
			v := newVerifier(t, keys)
			wantReason(t, v, sign(t, alg, signers()[alg], headerOf(alg, "k1"), goodClaims), "")
			wantReason(t, v, sign(t, alg, signers()[alg], headerOf(alg, "k2"), goodClaims), core.ReasonUnknownKey)
		})
	}
}
