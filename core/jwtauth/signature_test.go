package jwtauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

func TestEveryAlgorithmWithAndWithoutKid(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			v := newVerifier(t, set(t, verificationKey(t, "k1", alg)))
			for _, kid := range []string{"", "k1"} {
				wantReason(t, v, sign(t, alg, signers()[alg], headerOf(alg, kid), goodClaims), "")
			}
			wantReason(t, v, sign(t, alg, signers()[alg], headerOf(alg, "k2"), goodClaims), core.ReasonUnknownKey)
			token := sign(t, alg, signers()[alg], headerOf(alg, ""), goodClaims)
			i := strings.LastIndexByte(token, '.')
			wantReason(t, v, token[:i+1], core.ReasonBadSignature)
			wantReason(t, v, token[:i]+".AAAA", core.ReasonBadSignature)
			wantReason(t, v, token+"AAAA", core.ReasonBadSignature)
		})
	}
}

// E01: a good signature by the same key under another algorithm is refused,
// with and without a kid.
func TestKeyIsBoundToOneAlgorithm(t *testing.T) {
	families := [][]string{
		{"HS256", "HS384", "HS512"},
		{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
	}
	for _, family := range families {
		for _, bound := range family {
			v := newVerifier(t, set(t, verificationKey(t, "k1", bound)))
			for _, alg := range family {
				want := core.ReasonBadAlgorithm
				if alg == bound {
					want = ""
				}
				for _, kid := range []string{"", "k1"} {
					wantReason(t, v, sign(t, alg, signers()[alg], headerOf(alg, kid), goodClaims), want)
				}
			}
		}
	}
}

// E02, CVE-2015-9235: a public key is not a secret.
func TestPublicKeyIsNotASecret(t *testing.T) {
	rsaPublic := signers()["RS256"].(crypto.Signer).Public()
	ecPublic := signers()["ES256"].(*ecdsa.PrivateKey).PublicKey
	pkix := must(x509.MarshalPKIXPublicKey(rsaPublic))
	spellings := map[string][]byte{
		"PKIX DER":     pkix,
		"PKIX PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}),
		"PKCS #1 DER":  x509.MarshalPKCS1PublicKey(rsaPublic.(*rsa.PublicKey)),
		"PKCS #1 PEM":  pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(rsaPublic.(*rsa.PublicKey))}),
		"modulus":      rsaPublic.(*rsa.PublicKey).N.Bytes(),
		"EC point":     must(ecPublic.Bytes()),
		"EC PKIX DER":  must(x509.MarshalPKIXPublicKey(&ecPublic)),
		"certificate":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pkix}),
		"trimmed text": []byte(strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})))),
	}
	v := newVerifier(t, set(t, verificationKey(t, "k1", "RS256"), verificationKey(t, "k2", "ES256")))
	for name, spelling := range spellings {
		t.Run(name, func(t *testing.T) {
			for _, alg := range []string{"HS256", "HS384", "HS512"} {
				for _, kid := range []string{"", "k1", "k2"} {
					wantReason(t, v, sign(t, alg, spelling, headerOf(alg, kid), goodClaims), core.ReasonBadAlgorithm)
				}
			}
			if name == "modulus" {
				return // indistinguishable from a random number
			}
			if _, err := jwtauth.HMACKey("", "HS256", spelling); err == nil || !strings.Contains(err.Error(), "public or private key") {
				t.Errorf("accepted as a secret: %v", err)
			}
		})
	}
}

func TestTokenWithoutKidNeedsTheOnlyFittingKey(t *testing.T) { // E07
	v := newVerifier(t, set(t,
		verificationKey(t, "a", "RS256"), verificationKey(t, "b", "RS256"), verificationKey(t, "c", "ES256"), verificationKey(t, "", "EdDSA")))
	for _, tc := range []struct {
		alg, kid string
		reason   core.Reason
	}{
		{"RS256", "", core.ReasonUnknownKey},
		{"RS256", "a", ""},
		{"RS256", "c", core.ReasonBadAlgorithm},
		{"ES256", "", ""},
		{"ES256", "c", ""},
		{"EdDSA", "", ""},
		{"EdDSA", "d", core.ReasonUnknownKey}, // a key without kid is for tokens without one
		{"PS256", "", core.ReasonBadAlgorithm},
	} {
		t.Run(tc.alg+" "+tc.kid, func(t *testing.T) {
			wantReason(t, v, sign(t, tc.alg, signers()[tc.alg], headerOf(tc.alg, tc.kid), goodClaims), tc.reason)
		})
	}
}

// E26: RFC 7518 §3.5 fixes the salt length.
func TestSaltLengthIsTheHashLength(t *testing.T) {
	for alg, hash := range map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512} {
		v := newVerifier(t, set(t, verificationKey(t, "", alg)))
		signed := part(headerOf(alg, "")) + "." + part(goodClaims)
		h := hash.New()
		h.Write([]byte(signed))
		for name, salt := range map[string]int{"one less": hash.Size() - 1, "one more": hash.Size() + 1, "20": 20, "longest": rsa.PSSSaltLengthAuto, "right": hash.Size()} {
			t.Run(alg+" "+name, func(t *testing.T) {
				signature, err := rsa.SignPSS(rand.Reader, signers()[alg].(*rsa.PrivateKey), hash, h.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
				if err != nil {
					t.Fatal(err)
				}
				if err := rsa.VerifyPSS(&signers()[alg].(*rsa.PrivateKey).PublicKey, hash, h.Sum(nil), signature, nil); err != nil {
					t.Fatalf("invalid with any salt length: %v", err)
				}
				want := core.ReasonBadSignature
				if salt == hash.Size() {
					want = ""
				}
				wantReason(t, v, signed+"."+base64.RawURLEncoding.EncodeToString(signature), want)
			})
		}
	}
}

// E24: r and s have the curve's length, whatever their values.
func TestECDSASignatureForm(t *testing.T) {
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		key := signers()[alg].(*ecdsa.PrivateKey)
		v := newVerifier(t, set(t, verificationKey(t, "", alg)))
		token := sign(t, alg, key, headerOf(alg, ""), goodClaims)
		dot := strings.LastIndexByte(token, '.')
		signed := token[:dot]
		good := must(base64.RawURLEncoding.DecodeString(token[dot+1:]))
		half := len(good) / 2
		order := curve.Params().N
		der := must(ecdsa.SignASN1(rand.Reader, key, []byte("x")))
		join := func(r, s []byte) []byte { return append(append([]byte{}, r...), s...) }
		add := func(b []byte) []byte { // the same number modulo the order, if it fits
			n := new(big.Int).Add(new(big.Int).SetBytes(b), order)
			if n.BitLen() > 8*half {
				n = order
			}
			return n.FillBytes(make([]byte, half))
		}
		zero := make([]byte, half)
		for name, signature := range map[string][]byte{
			"zeros":            make([]byte, len(good)),
			"r zero":           join(zero, good[half:]),
			"s zero":           join(good[:half], zero),
			"r is the order":   join(order.FillBytes(make([]byte, half)), good[half:]),
			"s is the order":   join(good[:half], order.FillBytes(make([]byte, half))),
			"r plus the order": join(add(good[:half]), good[half:]),
			"DER":              der,
			"zero in front":    join([]byte{0}, good),
			"zeros in front":   join(join(zero[:1], good[:half]), join(zero[:1], good[half:])),
			"zero behind":      join(good, []byte{0}),
			"one byte less":    good[:len(good)-1],
			"swapped":          join(good[half:], good[:half]),
		} {
			t.Run(alg+" "+name, func(t *testing.T) {
				wantReason(t, v, signed+"."+base64.RawURLEncoding.EncodeToString(signature), core.ReasonBadSignature)
			})
		}
	}
}

// E24: the curve determines the algorithm.
func TestCurveIsBoundToTheAlgorithm(t *testing.T) {
	v := newVerifier(t, set(t, verificationKey(t, "k", "ES384")))
	wantReason(t, v, sign(t, "ES256", signers()["ES256"], headerOf("ES256", "k"), goodClaims), core.ReasonBadAlgorithm)
	if _, err := jwtauth.PublicKey("k", "ES256", signers()["ES384"].(crypto.Signer).Public()); err == nil || !strings.Contains(err.Error(), "is for ES384") {
		t.Errorf("a P-384 key was accepted for ES256: %v", err)
	}
}

// E25: both forms of a malleable signature give the same claims; no code uses the
// signature's text as a key.
func TestMalleatedSignatureGivesTheSamePrincipal(t *testing.T) {
	token := sign(t, "ES256", signers()["ES256"], headerOf("ES256", ""), goodClaims)
	dot := strings.LastIndexByte(token, '.')
	b := must(base64.RawURLEncoding.DecodeString(token[dot+1:]))
	s := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(b[32:]))
	s.FillBytes(b[32:])
	wantReason(t, newVerifier(t, set(t, verificationKey(t, "", "ES256"))), token[:dot+1]+base64.RawURLEncoding.EncodeToString(b), "")
}
