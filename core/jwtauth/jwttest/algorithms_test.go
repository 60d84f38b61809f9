package jwttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/jwstest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

var algorithmCases = []testCase{
	{"E01 an algorithm of two names", twoNames},
	{"E01 none is no algorithm", noAlgorithm},
	{"E01 a key is for one algorithm", boundAlgorithm},
	{"E02 a public key is no secret", publicSecret},
	{"E24 an ECDSA signature has one form", ecdsaForm},
	{"E24 a curve is for one algorithm", boundCurve},
	{"E25 another form of a signature revokes nothing back", respelt},
	{"E26 a PSS salt is as long as the hash", saltLength},
}

// twoNames: RFC 9864 §2.2. The key is for EdDSA, the token for Ed25519, and vice versa.
func twoNames(t *testing.T, b bench) {
	renamed := b.keys.jwk(t, "EdDSA")
	renamed["alg"] = "Ed25519"
	set, err := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, renamed))
	if err != nil {
		t.Fatal(err)
	}
	text := unsigned(`{"alg":"Ed25519","kid":"`+kid("EdDSA")+`"}`, claims())
	for _, s := range []*service{b.serve(t), b.serveFor(t, verifier(t, set))} {
		s.try(onPublic,
			attempt{"Ed25519", signed(t, "Ed25519", s.keys.signing["EdDSA"], text), ""},
			attempt{"EdDSA", s.keys.good(t, "EdDSA"), ""},
			attempt{"by a stranger", signed(t, "Ed25519", s.keys.foreign["EdDSA"], text), core.ReasonBadSignature})
	}
}

// noAlgorithm: RFC 8725 §3.1, with and without a signature.
func noAlgorithm(t *testing.T, b bench) {
	s := b.serve(t)
	for path, alg := range map[string]string{onPublic: "ES256", onSecret: "HS256"} {
		for _, none := range []string{
			"none", "None", "NONE", "nOnE", "none ", "", "null", strings.ToLower(alg), alg + " ", "ES256K", "HS1", "dir", "RSA-OAEP",
		} {
			for _, head := range []string{`{"alg":"` + none + `"}`, `{"alg":"` + none + `","kid":"` + kid(alg) + `"}`} {
				s.try(path,
					attempt{head + " signed", s.keys.token(t, alg, head, claims()), core.ReasonBadAlgorithm},
					attempt{head + " unsigned", unsigned(head, claims()) + ".", core.ReasonBadAlgorithm})
			}
		}
	}
}

// boundAlgorithm: the signature is valid, but not for this key's algorithm.
func boundAlgorithm(t *testing.T, b bench) {
	s := b.serve(t)
	families := map[string][][]string{
		onPublic: {publicAlgorithms[:6], publicAlgorithms[6:]},
		onSecret: {secretAlgorithms},
	}
	for path, list := range families {
		for _, family := range list {
			for _, bound := range family {
				for _, alg := range family {
					head := fmt.Sprintf(`{"alg":%q,"kid":%q}`, alg, kid(bound))
					reason := core.ReasonBadAlgorithm
					if alg == bound {
						reason = ""
					}
					s.try(path, attempt{alg + " for " + bound, s.keys.token(t, alg, head, claims()), reason})
				}
			}
		}
	}
}

// publicSecret: CVE-2015-9235.
func publicSecret(t *testing.T, b bench) {
	s := b.serve(t)
	for _, alg := range []string{"RS256", "PS256", "ES256", "ES512", "EdDSA"} {
		for name, secret := range spellings(t, s.keys, alg) {
			for _, hmac := range secretAlgorithms {
				for _, head := range []string{`{"alg":"` + hmac + `"}`, `{"alg":"` + hmac + `","kid":"` + kid(alg) + `"}`} {
					forged := signed(t, hmac, secret, unsigned(head, claims()))
					s.try(onPublic, attempt{alg + " " + name + " " + head, forged, core.ReasonBadAlgorithm})
				}
			}
			if name == "modulus" || name == "Ed25519 key" {
				continue // indistinguishable from random bytes
			}
			if _, err := jwtauth.HMACKey("", "HS256", secret); err == nil {
				t.Errorf("%s %s is accepted as a secret", alg, name)
			}
		}
		s.try(onSecret, attempt{alg, s.keys.good(t, alg), core.ReasonUnknownKey},
			attempt{alg + " without kid", s.keys.token(t, alg, `{"alg":"`+alg+`"}`, claims()), core.ReasonBadAlgorithm})
	}
	public, err := jwtauth.PublicKey("", "", s.keys.public(t, "ES256"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := jwtauth.HMACKey("", "HS256", s.keys.signing["HS256"].([]byte))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwtauth.NewKeySet(public, secret); err == nil {
		t.Error("a set with a secret and a public key is accepted")
	}
}

// spellings are all public forms of a key, which an attacker may try as the secret.
func spellings(t *testing.T, k *keys, alg string) map[string][]byte {
	t.Helper()
	public := k.public(t, alg)
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	out := map[string][]byte{"DER": der, "PEM": text, "PEM without line end": []byte(strings.TrimSpace(string(text)))}
	switch key := public.(type) {
	case *rsa.PublicKey:
		out["PKCS #1"] = x509.MarshalPKCS1PublicKey(key)
		out["modulus"] = key.N.Bytes()
	case *ecdsa.PublicKey:
		if out["point"], err = key.Bytes(); err != nil {
			t.Fatal(err)
		}
	default:
		out["Ed25519 key"] = der[len(der)-32:]
	}
	return out
}

// ecdsaForm: RFC 7518 §3.4: r and s at full length, both from 1 to n-1.
func ecdsaForm(t *testing.T, b bench) {
	s := b.serve(t)
	for _, alg := range []string{"ES256", "ES384", "ES512"} {
		key := s.keys.signing[alg].(*ecdsa.PrivateKey)
		text := unsigned(header(alg), claims())
		good, err := jwstest.Sign(alg, key, text)
		if err != nil {
			t.Fatal(err)
		}
		half := len(good) / 2
		r, v := good[:half:half], good[half:]
		zero, order := make([]byte, half), key.Params().N.FillBytes(make([]byte, half))
		der, err := asn1.Marshal([]*big.Int{new(big.Int).SetBytes(r), new(big.Int).SetBytes(v)})
		if err != nil {
			t.Fatal(err)
		}
		s.try(onPublic, attempt{alg, text + "." + base64url(good), ""})
		for name, signature := range map[string][]byte{
			"zeros":            make([]byte, len(good)),
			"r zero":           slices.Concat(zero, v),
			"s zero":           slices.Concat(r, zero),
			"r the order":      slices.Concat(order, v),
			"s the order":      slices.Concat(r, order),
			"s past the order": slices.Concat(r, plus(v, order)),
			"DER":              der,
			"zero in front":    slices.Concat(zero[:1], good),
			"zeros in both":    slices.Concat(zero[:1], r, zero[:1], v),
			"zero behind":      slices.Concat(good, zero[:1]),
			"one byte less":    good[:len(good)-1],
			"halves swapped":   slices.Concat(v, r),
		} {
			s.try(onPublic, attempt{alg + " " + name, text + "." + base64url(signature), core.ReasonBadSignature})
		}
	}
}

// respelt: (r, n-s) is an equally valid ECDSA signature with another text.
func respelt(t *testing.T, b bench) {
	list, err := revoke.New()
	if err != nil {
		t.Fatal(err)
	}
	s := b.serve(t, jwtauth.WithRevocation(list))
	for _, alg := range []string{"ES256", "ES384", "ES512"} {
		key := s.keys.signing[alg].(*ecdsa.PrivateKey)
		text := unsigned(header(alg), claims(`"jti":"`+alg+`"`))
		one, err := jwstest.Sign(alg, key, text)
		if err != nil {
			t.Fatal(err)
		}
		half := len(one) / 2
		v := new(big.Int).Sub(key.Params().N, new(big.Int).SetBytes(one[half:]))
		two := slices.Concat(one[:half], v.FillBytes(make([]byte, half)))
		first, second := text+"."+base64url(one), text+"."+base64url(two)
		s.try(onPublic, attempt{alg, first, ""}, attempt{alg + " respelt", second, ""})
		if err := list.Revoke(revoke.Entry{ID: alg}); err != nil {
			t.Fatal(err)
		}
		s.try(onPublic, attempt{alg, first, core.ReasonRevoked}, attempt{alg + " respelt", second, core.ReasonRevoked})
	}
}

// plus returns a+b in the length of a, or all ones on overflow.
func plus(a, b []byte) []byte {
	sum := new(big.Int).Add(new(big.Int).SetBytes(a), new(big.Int).SetBytes(b))
	if sum.BitLen() > 8*len(a) {
		return []byte(strings.Repeat("\xff", len(a)))
	}
	return sum.FillBytes(make([]byte, len(a)))
}

// boundCurve: neither key nor signature of one curve works for another's algorithm.
func boundCurve(t *testing.T, b bench) {
	s := b.serve(t)
	curves := []string{"ES256", "ES384", "ES512"}
	for _, own := range curves {
		for _, other := range curves {
			if own == other {
				continue
			}
			named := fmt.Sprintf(`{"alg":%q,"kid":%q}`, own, kid(other))
			s.try(onPublic,
				attempt{own + " signed, key of " + other, s.keys.token(t, own, named, claims()), core.ReasonBadAlgorithm},
				attempt{own + " signed as " + other, s.keys.token(t, own, header(other), claims()), core.ReasonBadSignature},
				attempt{own + " by a stranger", signed(t, own, s.keys.foreign[own], unsigned(header(own), claims())), core.ReasonBadSignature})
			wrong := s.keys.jwk(t, own)
			wrong["alg"] = other
			if _, err := jwtauth.KeySetFromJWKS("jwks.json", setOf(t, wrong)); err == nil {
				t.Errorf("a key of %s is loaded for %s", own, other)
			}
		}
	}
}

// saltLength: RFC 7518 §3.5.
func saltLength(t *testing.T, b bench) {
	s := b.serve(t)
	for alg, hash := range map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512} {
		text := unsigned(header(alg), claims())
		h := hash.New()
		h.Write([]byte(text))
		digest := h.Sum(nil)
		longest := 2048/8 - hash.Size() - 2
		for _, salt := range []int{1, 20, hash.Size() - 1, hash.Size(), hash.Size() + 1, longest} {
			signature, err := rsa.SignPSS(rand.Reader, s.keys.signing[alg].(*rsa.PrivateKey), hash, digest, &rsa.PSSOptions{SaltLength: salt})
			if err != nil {
				t.Fatal(err)
			}
			reason := core.ReasonBadSignature
			if salt == hash.Size() {
				reason = ""
			}
			s.try(onPublic, attempt{fmt.Sprintf("%s with a salt of %d bytes", alg, salt), text + "." + base64url(signature), reason})
		}
	}
}
