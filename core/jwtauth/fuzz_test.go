package jwtauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/jwstest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// FuzzVerify verifies arbitrary tokens: nothing panics, and a principal requires a
// signature that the standard library accepts as well.
func FuzzVerify(f *testing.F) {
	good := hs256(f, goodClaims)
	for _, token := range []string{
		good, good + "=", good + ".", "..", "", rfcHMACToken, rfcRSAToken, rfcECToken, rfcEdToken,
		"eyJhbGciOiJub25lIn0." + rfcClaims + ".", hs256(f, `{"sub":"a","sub":"b"}`),
		sign(f, "ES256", signers()["ES256"], headerOf("ES256", "e"), goodClaims),
	} {
		f.Add(token)
	}
	public := newVerifier(f, set(f, verificationKey(f, "r", "RS256"), verificationKey(f, "e", "ES256"), verificationKey(f, "d", "EdDSA")))
	other, err := jwtauth.New(hmacSet(f, "", "HS256"), jwtauth.WithIssuer(otherIssuer), jwtauth.WithoutAudience())
	if err != nil {
		f.Fatal(err)
	}
	issuers, err := jwtauth.NewIssuers(public, other)
	if err != nil {
		f.Fatal(err)
	}
	forms, err := jwtauth.ByForm(issuers, other)
	if err != nil {
		f.Fatal(err)
	}
	verifiers := []bearer.TokenVerifier{
		newVerifier(f, hmacSet(f, "", "HS256")), public, issuers, forms,
		newVerifier(f, hmacSet(f, "", "HS256"), jwtauth.WithAccessTokenProfile(), jwtauth.WithCacheSize(0)),
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, v := range verifiers {
			p, err := v.VerifyToken(context.Background(), token)
			if err != nil {
				var bad *core.CredentialError
				if p != nil || !errors.As(err, &bad) {
					t.Fatalf("principal %v, error %v", p, err)
				}
				continue
			}
			dot := strings.LastIndexByte(token, '.')
			signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
			if err != nil {
				t.Fatal(err)
			}
			if !signedByAny(token[:dot], signature) {
				t.Fatalf("%q passed as %q", token, p.ID())
			}
		}
	})
}

// signedByAny verifies with the standard library directly.
func signedByAny(signed string, signature []byte) bool {
	digest := sha256.Sum256([]byte(signed))
	mac := must(jwstest.Sign("HS256", secret, signed))
	public := func(alg string) crypto.PublicKey { return signers()[alg].(crypto.Signer).Public() }
	half := len(signature) / 2
	r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
	return bytes.Equal(signature, mac) ||
		rsa.VerifyPKCS1v15(public("RS256").(*rsa.PublicKey), crypto.SHA256, digest[:], signature) == nil ||
		ecdsa.Verify(public("ES256").(*ecdsa.PublicKey), digest[:], r, s) ||
		ed25519.Verify(public("EdDSA").(ed25519.PublicKey), []byte(signed), signature)
}

// FuzzSignedToken signs arbitrary headers and claims, to reach the code behind signature
// verification. Whatever passes must equal what encoding/json decodes; examples/bench
// compares with another library.
func FuzzSignedToken(f *testing.F) {
	for _, claims := range []string{
		goodClaims, "null", `{}`, with(`"exp":1e300`), with(`"nbf":0`, `"iat":0.5`), with(`"aud":["reports",7]`),
		with(`"roles":["a"]`, `"scope":"a b"`), with(`"sub":"\u0061"`), `{"exp":1,` + goodClaims[1:],
	} {
		f.Add(`{"alg":"HS256"}`, claims)
	}
	f.Add(`{"alg":"HS256","kid":"k1","typ":"JWT"}`, goodClaims)
	f.Add(`{"alg":"HS256","crit":[]}`, goodClaims)
	f.Add(`{"alg":"none"}`, goodClaims)
	v := newVerifier(f, hmacSet(f, "k1", "HS256"))
	f.Fuzz(func(t *testing.T, header, claims string) {
		token := sign(t, "HS256", secret, header, claims)
		p, err := v.VerifyToken(context.Background(), token)
		if err != nil {
			var bad *core.CredentialError
			if p != nil || !errors.As(err, &bad) || bad.Code != core.CodeInvalidToken {
				t.Fatalf("principal %v, error %v", p, err)
			}
			return
		}
		decoder := json.NewDecoder(strings.NewReader(claims))
		decoder.UseNumber()
		var read map[string]any
		if err := decoder.Decode(&read); err != nil {
			t.Fatalf("%q passed, encoding/json refuses it: %v", claims, err)
		}
		exp, err := read["exp"].(json.Number).Float64()
		if err != nil || exp < float64(noon.Unix())-31 || read["iss"] != "https://issuer.example" || read["sub"] != p.ID() {
			t.Fatalf("%q passed as %q, encoding/json reads %v", claims, p.ID(), read)
		}
		if aud, many := read["aud"].([]any); read["aud"] != "reports" && !(many && slices.Contains(aud, any("reports"))) {
			t.Fatalf("%q passed, encoding/json reads the audience %v", claims, read["aud"])
		}
	})
}

// FuzzJWKS checks that every key set that parses is usable.
func FuzzJWKS(f *testing.F) {
	for _, key := range []string{
		rfcHMACKey, rfcRSAKey, rfcECKey, rfcEdKey, and(rfcECKey, `"kid":"k1","use":"sig","key_ops":["verify"]`),
		and(rfcRSAKey, `"d":"AQAB"`), but(rfcRSAKey, "AQAB", "AQ"), "{}", rfcEdKey + "," + rfcECKey,
	} {
		f.Add([]byte(`{"keys":[` + key + `]}`))
	}
	f.Add([]byte(`{"keys":[],"keys":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := jwtauth.KeySetFromJWKS("keys.json", data, jwtauth.WithRSAAlgorithm("RS256"))
		if err != nil {
			if keys != nil || !strings.HasPrefix(err.Error(), "keys.json: ") {
				t.Fatalf("keys %v, error %v", keys, err)
			}
			return
		}
		all, err := keys.Keys(context.Background(), "")
		if err != nil || len(all) == 0 {
			t.Fatalf("keys %v, error %v", all, err)
		}
		v := newVerifier(t, keys)
		for _, k := range all {
			if _, err := v.VerifyToken(context.Background(), part(headerOf(k.Algorithm(), k.ID()))+"."+part(goodClaims)+".AAAA"); err == nil {
				t.Fatalf("key %q verifies anything", k.ID())
			}
		}
	})
}

// FuzzPublished serves arbitrary documents and cache fields as an issuer: nothing panics,
// the next fetch stays within its bounds, and a set that would load from a file also
// loads from an address, without its secrets.
func FuzzPublished(f *testing.F) {
	for _, keys := range []string{
		"", edKey("a"), edKey("a") + "," + edKey("a"), rfcECKey + "," + rfcRSAKey, "7,null,{}", rfcHMACKey, and(rfcEdKey, `"use":"enc"`),
	} {
		f.Add([]byte(setOf(keys)), "max-age=60")
	}
	f.Add([]byte(`{"keys":{}}`), `no-cache, max-age="-1"`)
	f.Add([]byte("["), "=,=,max-age=99999999999999999999")
	f.Fuzz(func(t *testing.T, data []byte, freshness string) {
		p := new(published)
		p.serves(string(data), "Cache-Control", freshness, "Age", freshness, "Retry-After", freshness)
		told := make(chan jwtauth.Refresh, 1)
		r, err := jwtauth.Fetch(keysURL, jwtauth.WithTransport(p), jwtauth.WithRefreshObserver(func(f jwtauth.Refresh) { told <- f }))
		if err != nil {
			t.Fatal(err)
		}
		got := <-told
		r.Close()
		if got.Next < 500*time.Millisecond || got.Next > time.Hour {
			t.Fatalf("next fetch in %v", got.Next)
		}
		keys, err := jwtauth.KeySetFromJWKS("f", data)
		if err != nil {
			return
		}
		all, _ := keys.Keys(context.Background(), "")
		want := len(all)
		if strings.HasPrefix(all[0].Algorithm(), "HS") {
			want = 0
		}
		if got.Err != nil || got.Keys != want {
			t.Fatalf("%d keys, %v; %d from a file", got.Keys, got.Err, want)
		}
	})
}
