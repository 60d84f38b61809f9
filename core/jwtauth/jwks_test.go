package jwtauth_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// and returns a key with a further member in front.
func and(key, member string) string { return strings.Replace(key, "{", "{"+member+",", 1) }

// but returns a key with one text in it replaced.
func but(key, text, other string) string {
	if !strings.Contains(key, text) {
		panic("no " + text + " in " + key)
	}
	return strings.Replace(key, text, other, 1)
}

func TestJWKSAccepts(t *testing.T) {
	for _, tc := range []struct{ name, key, alg string }{
		{"oct", rfcHMACKey, "HS256"},
		{"RSA", rfcRSAKey, "RS256"},
		{"RSA for PSS", but(rfcRSAKey, "RS256", "PS256"), "PS256"},
		{"EC", rfcECKey, "ES256"},
		{"EC with alg", and(rfcECKey, `"alg":"ES256"`), "ES256"},
		{"OKP", rfcEdKey, "EdDSA"},
		{"use", and(rfcECKey, `"use":"sig"`), "ES256"},
		{"key_ops", and(rfcECKey, `"use":"sig","key_ops":["verify"]`), "ES256"},
		{"key_ops of a secret", and(rfcHMACKey, `"key_ops":["sign","verify"]`), "HS256"},
		{"unknown members", and(rfcECKey, `"x5c":["AAAA"],"x5u":"https://other.example","ext":true`), "ES256"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			keys, err := jwks(t, and(tc.key, `"kid":"k1"`)).Keys(t.Context(), "k1")
			if err != nil || len(keys) != 1 || keys[0].ID() != "k1" || keys[0].Algorithm() != tc.alg {
				t.Errorf("keys %v, error %v", keys, err)
			}
		})
	}
}

func TestJWKSRefuses(t *testing.T) {
	long := base64.RawURLEncoding.EncodeToString(make([]byte, 5))
	for _, tc := range []struct{ name, key, want string }{
		{"E03 use enc", and(rfcRSAKey, `"use":"enc"`), `use is "enc"`},
		{"E03 use in other letter case", and(rfcRSAKey, `"use":"SIG"`), `use is "SIG"`},
		{"E03 use number", and(rfcRSAKey, `"use":1`), "use is empty or not a string"},
		{"E03 key_ops without verify", and(rfcHMACKey, `"key_ops":["sign"]`), "key_ops does not have verify"},
		{"E03 key_ops empty", and(rfcECKey, `"key_ops":[]`), "key_ops does not have verify"},
		{"E03 key_ops for encryption too", and(rfcRSAKey, `"key_ops":["verify","encrypt"]`), "element 2 is neither"},
		{"E03 key_ops object in it", and(rfcRSAKey, `"key_ops":["verify",{}]`), "element 2 is neither"},
		{"E03 key_ops twice the same", and(rfcRSAKey, `"key_ops":["verify","verify"]`), "verify twice"},
		{"E03 key_ops string", and(rfcRSAKey, `"key_ops":"verify"`), "key_ops is not an array"},
		{"E03 alg of another curve", and(rfcECKey, `"alg":"ES384"`), "is for ES256"},
		{"E03 alg of another kty", but(rfcRSAKey, "RS256", "ES256"), "needs one of the algorithms"},
		{"E03 alg for key agreement", and(rfcECKey, `"alg":"ECDH-ES"`), "is for ES256"},
		{"E03 alg for encryption", but(rfcRSAKey, "RS256", "RSA-OAEP"), "needs one of the algorithms"},
		{"E03 alg of HMAC on RSA", but(rfcRSAKey, "RS256", "HS256"), "needs one of the algorithms"},
		{"E03 alg of RSA on a secret", but(rfcHMACKey, "HS256", "RS256"), "does not take a secret"},
		{"E03 alg in lower case", but(rfcHMACKey, "HS256", "hs256"), "does not take a secret"},
		{"E03 alg none", but(rfcHMACKey, "HS256", "none"), "does not take a secret"},
		{"E03 alg number", but(rfcHMACKey, `"HS256"`, "256"), "alg is empty or not a string"},
		{"E03 alg empty", but(rfcHMACKey, `HS256`, ""), "alg is empty or not a string"},
		{"alg missing on RSA", but(rfcRSAKey, `"alg":"RS256",`, ""), "needs one of the algorithms"},
		{"alg missing on a secret", but(rfcHMACKey, `"alg":"HS256",`, ""), "alg is missing"},
		{"E03 kty in lower case", but(rfcRSAKey, `"RSA"`, `"rsa"`), `kty "rsa" is not supported`},
		{"E03 kty missing", but(rfcRSAKey, `"kty":"RSA",`, ""), "kty is missing"},
		{"E03 kty of another key", but(rfcECKey, `"EC"`, `"OKP"`), `crv "P-256" is not supported: Ed25519`},
		{"E03 crv of another length", but(rfcECKey, "P-256", "P-384"), "x has 32 bytes: P-384 has 48"},
		{"E03 crv unknown", but(rfcECKey, "P-256", "secp256k1"), `crv "secp256k1" is not supported`},
		{"E03 crv missing", but(rfcECKey, `"crv":"P-256",`, ""), "crv is missing"},
		{"E03 crv of key agreement", but(rfcEdKey, "Ed25519", "X25519"), `crv "X25519" is not supported`},
		{"E03 crv missing on OKP", but(rfcEdKey, `"crv":"Ed25519",`, ""), "crv is missing"},
		{"E23 short secret", `{"kty":"oct","alg":"HS256","k":"AyM1"}`, "too short for HS256"},
		{"E23 empty secret", `{"kty":"oct","alg":"HS256","k":""}`, "k is empty"},
		{"E23 short for its hash", `{"kty":"oct","alg":"HS512","k":"` + base64.RawURLEncoding.EncodeToString(secret[:32]) + `"}`, "too short for HS512"},
		{"E23 no secret", `{"kty":"oct","alg":"HS256"}`, "k is missing"},
		{"E23 RSA of 40 bits", `{"kty":"RSA","alg":"RS256","e":"AQAB","n":"` + long + `"}`, "too weak"},
		{"E23 exponent 1", but(rfcRSAKey, "AQAB", "AQ"), "exponent 1"},
		{"E23 exponent even", but(rfcRSAKey, "AQAB", "AQAA"), "exponent 65536"},
		{"E23 exponent zero", but(rfcRSAKey, "AQAB", "AA"), "exponent 0"},
		{"E23 exponent too large", but(rfcRSAKey, "AQAB", "gAAAAQ"), "e is too large"},
		{"E23 exponent huge", but(rfcRSAKey, "AQAB", strings.Repeat("A", 100)+"gAAAAAAAAAAAAAB"+"AAAAA"), "e is too large"},
		{"e missing", but(rfcRSAKey, `"e":"AQAB",`, ""), "e is missing"},
		{"n missing", `{"kty":"RSA","alg":"RS256","e":"AQAB"}`, "n is missing"},
		{"n with padding", but(rfcRSAKey, `XpoQ"`, `XpoQ=="`), "n is not base64url"},
		{"n in the standard alphabet", but(rfcRSAKey, "kd_wWJ", "kd/wWJ"), "n is not base64url"},
		{"x with a line break", but(rfcECKey, "f83O", `f83\nO`), "x is not base64url"},
		{"x missing", but(rfcEdKey, `,"x"`, `,"y"`), "x is missing"},
		{"y missing", but(rfcECKey, `"y"`, `"z"`), "y is missing"},
		{"E24 off the curve", but(rfcECKey, "x_FE", "y_FE"), "not a point of P-256"},
		{"x too long", but(rfcECKey, "f83O", "AAAAf83O"), "x has 35 bytes"},
		{"Ed25519 too short", but(rfcEdKey, "11qY", ""), "29 bytes"},
		{"private EC", and(rfcECKey, `"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"`), "this is a private key; publish only the public part"},
		{"private RSA", and(rfcRSAKey, `"d":"AQAB"`), "this is a private key"},
		{"private RSA by a prime", and(rfcRSAKey, `"p":"AQAB"`), "this is a private key"},
		{"private OKP", and(rfcEdKey, `"d":"AQAB"`), "this is a private key"},
		{"kid number", and(rfcECKey, `"kid":7`), "kid is empty or not a string"},
		{"kid empty", and(rfcECKey, `"kid":""`), "kid is empty or not a string"},
		{"kid too long", and(rfcECKey, `"kid":"`+strings.Repeat("k", 257)+`"`), "kid of 257 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// The first key is good, so that the message has to count keys.
			text := `{"keys":[` + and(rfcEdKey, `"kid":"good"`) + "," + tc.key + "]}"
			_, err := jwtauth.KeySetFromJWKS("keys.json", []byte(text))
			wantError(t, err, tc.want)
			wantError(t, err, "keys.json: key 2 (kid ")
		})
	}
}

func TestJWKSRefusesSets(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty file", ``, "not a JWK set"},
		{"array", `[` + rfcECKey + `]`, "not an object"},
		{"single key", rfcECKey, "put it into a set"},
		{"no keys member", `{}`, `"keys" is missing`},
		{"E19 Keys", `{"Keys":[]}`, `"keys" is missing`},
		{"keys is an object", `{"keys":{}}`, `"keys" is missing or not an array`},
		{"no key", `{"keys":[]}`, "empty"},
		{"key is a string", `{"keys":["k"]}`, "key 1 is not an object"},
		{"E18 keys twice", `{"keys":[],"keys":[` + rfcECKey + `]}`, "duplicate member name"},
		{"E18 member twice", `{"keys":[` + and(rfcECKey, `"kty":"EC"`) + `]}`, "duplicate member name"},
		{"text after", `{"keys":[` + rfcECKey + `]} x`, "text after"},
		{"E07 kid twice", `{"keys":[` + and(rfcECKey, `"kid":"a"`) + "," + and(rfcRSAKey, `"kid":"a"`) + `]}`, `key 2 (kid "a"): this kid is in the set twice`},
		{"E02 mix", `{"keys":[` + and(rfcECKey, `"kid":"a"`) + "," + and(rfcHMACKey, `"kid":"b"`) + `]}`, `key 2 (kid "b"): a secret and a public key`},
		{"too large", `{"keys":[` + rfcECKey + `]}` + strings.Repeat(" ", 1<<20), "larger than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := jwtauth.KeySetFromJWKS("keys.json", []byte(tc.text))
			wantError(t, err, tc.want)
			wantError(t, err, "keys.json: ")
		})
	}
}

func TestRSAAlgorithmOption(t *testing.T) {
	bare := `{"keys":[` + but(rfcRSAKey, `"alg":"RS256",`, "") + `]}`
	keys, err := jwtauth.KeySetFromJWKS("keys.json", []byte(bare), jwtauth.WithRSAAlgorithm("PS256"))
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := keys.Keys(t.Context(), ""); len(all) != 1 || all[0].Algorithm() != "PS256" {
		t.Errorf("keys %v", all)
	}
	// A key with an alg keeps it.
	keys, err = jwtauth.KeySetFromJWKS("keys.json", []byte(`{"keys":[`+rfcRSAKey+`]}`), jwtauth.WithRSAAlgorithm("PS256"))
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := keys.Keys(t.Context(), ""); all[0].Algorithm() != "RS256" {
		t.Errorf("algorithm %s", all[0].Algorithm())
	}
	for _, alg := range []string{"", "HS256", "ES256", "RS1", "none", "RS257"} {
		_, err := jwtauth.KeySetFromJWKS("keys.json", []byte(bare), jwtauth.WithRSAAlgorithm(alg))
		wantError(t, err, "not one of RSA")
	}
	_, err = jwtauth.KeySetFromJWKS("keys.json", []byte(bare), nil)
	wantError(t, err, "option 1 is nil")
}

func TestOpenJWKS(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "keys.json")
	if err := os.WriteFile(file, []byte(`{"keys":[`+but(rfcHMACKey, rfcHMACKey[strings.Index(rfcHMACKey, `"k":`):], `"k":"`+base64.RawURLEncoding.EncodeToString(secret)+`"}`)+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := jwtauth.OpenJWKS(file)
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, newVerifier(t, keys), hs256(t, goodClaims), "")
	wantReason(t, newVerifier(t, keys), sign(t, "HS256", secret, headerOf("HS256", "k"), goodClaims), core.ReasonUnknownKey)

	_, err = jwtauth.OpenJWKS(filepath.Join(dir, "none.json"))
	wantError(t, err, "none.json")
	_, err = jwtauth.OpenJWKS(dir)
	wantError(t, err, dir)
	if err := os.WriteFile(file, []byte(`{"keys":[`+and(rfcECKey, `"use":"enc"`)+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = jwtauth.OpenJWKS(file)
	wantError(t, err, file+`: key 1 (kid ""): use is "enc"`)
}
