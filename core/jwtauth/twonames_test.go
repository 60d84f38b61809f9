package jwtauth_test

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// edNames are the two names of one algorithm (RFC 8037 §3.1, RFC 9864 §2.2).
var edNames = []string{"EdDSA", "Ed25519"}

// E01, E03: keys, tokens and options may each use either name.
func TestAlgorithmWithTwoNames(t *testing.T) {
	key := signers()["EdDSA"].(crypto.Signer)
	x := jwkOf(t, key.Public())
	for _, own := range []string{"", "EdDSA", "Ed25519"} {
		jwk := x[:len(x)-1] + `,"kid":"k"}`
		if own != "" {
			jwk = fmt.Sprintf(`%s,"kid":"k","alg":%q}`, x[:len(x)-1], own)
		}
		keys, err := jwtauth.KeySetFromJWKS("jwks.json", []byte(setOf(jwk)))
		if err != nil {
			t.Fatal(err)
		}
		for _, opts := range [][]jwtauth.Option{nil, {jwtauth.WithAlgorithms("EdDSA")}, {jwtauth.WithAlgorithms("ES256", "Ed25519")}} {
			v := newVerifier(t, keys, opts...)
			for _, alg := range edNames {
				wantReason(t, v, sign(t, "EdDSA", key, headerOf(alg, "k"), goodClaims), "")
				wantReason(t, v, sign(t, "EdDSA", key, fmt.Sprintf(`{"alg":%q}`, alg), goodClaims), "")
			}
			for _, alg := range []string{"Ed448", "ed25519", "EDDSA", "Ed25519ph", "ES256", "HS256"} {
				wantReason(t, v, sign(t, "EdDSA", key, headerOf(alg, "k"), goodClaims), core.ReasonBadAlgorithm)
			}
		}
		if k := publicKey(t, "k", own, key.Public()); k.Algorithm() != "EdDSA" {
			t.Errorf("alg %q: the key is for %s", own, k.Algorithm())
		}
	}
	if _, err := jwtauth.PublicKey("", "Ed25519", signers()["ES256"].(crypto.Signer).Public()); err == nil {
		t.Error("a P-256 key was accepted for Ed25519")
	}
	v := newVerifier(t, set(t, publicKey(t, "k", "", key.Public())), jwtauth.WithAlgorithms("ES256"))
	for _, alg := range edNames {
		wantReason(t, v, sign(t, "EdDSA", key, headerOf(alg, "k"), goodClaims), core.ReasonBadAlgorithm)
	}
}

func TestProofsOfAlgorithmWithTwoNames(t *testing.T) {
	key := signers()["EdDSA"].(crypto.Signer)
	x := jwkOf(t, key.Public())
	for _, accepted := range edNames {
		for _, alg := range edNames {
			for _, own := range []string{"", "EdDSA", "Ed25519"} {
				jwk := x
				if own != "" {
					jwk = fmt.Sprintf(`%s,"alg":%q}`, x[:len(x)-1], own)
				}
				header := fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, alg, jwk)
				p, err := jwtauth.VerifyProof(sign(t, "EdDSA", key, header, `{}`), "dpop+jwt", []string{accepted})
				if err != nil || len(p.Thumbprint) != base64.RawURLEncoding.EncodedLen(32) {
					t.Errorf("proof with %s by a key for %q where %s is accepted: %v", alg, own, accepted, err)
				}
			}
		}
	}
}
