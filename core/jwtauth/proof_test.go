package jwtauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// rfcProof is the DPoP proof of RFC 9449 §7.1, figure 13.
const rfcProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"

var asymmetric = []string{"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}

func TestProofOfRFC9449(t *testing.T) {
	p, err := jwtauth.VerifyProof(rfcProof, "dpop+jwt", asymmetric)
	if err != nil {
		t.Fatal(err)
	}
	if p.Thumbprint != jkt || p.Claims["jti"] != "e1j3V_bKic8-LAEB" || p.Claims["htm"] != "GET" || p.Claims["iat"] != 1562262618.0 {
		t.Errorf("%+v", p)
	}
}

// jwkOf returns a public key as a JWK without alg.
func jwkOf(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf(`{"kty":"RSA","e":"AQAB","n":%q}`, enc(key.N.Bytes()))
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		return fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q}`, key.Params().Name, enc(point[1:1+half]), enc(point[1+half:]))
	case ed25519.PublicKey:
		return fmt.Sprintf(`{"kty":"OKP","crv":"Ed25519","x":%q}`, enc(key))
	}
	t.Fatalf("no JWK for %T", key)
	return ""
}

func TestProofsOfEveryAlgorithm(t *testing.T) {
	for _, alg := range asymmetric {
		key := signers()[alg].(crypto.Signer)
		jwk := jwkOf(t, key.Public())
		header := fmt.Sprintf(`{"typ":"dpop+jwt","alg":%q,"jwk":%s}`, alg, jwk)
		p, err := jwtauth.VerifyProof(sign(t, alg, key, header, `{"a":1}`), "dpop+jwt", asymmetric)
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if want := publicKey(t, "", alg, key.Public()).Thumbprint(); p.Thumbprint != want || p.Claims["a"] != 1.0 {
			t.Errorf("%s: %+v, want %s", alg, p, want)
		}
		if _, err := jwtauth.VerifyProof(sign(t, alg, key, header, `{"a":1}`), "dpop+jwt", []string{"none"}); err == nil {
			t.Errorf("%s passed although not listed", alg)
		}
	}
}

// B20: RFC 9449 §4.3, items 2 and 4 to 7.
func TestProofIsReadStrictly(t *testing.T) {
	key := signers()["ES256"].(crypto.Signer)
	jwk := jwkOf(t, key.Public())
	with := func(member string) string { return jwk[:len(jwk)-1] + "," + member + "}" }
	other := jwkOf(t, signers()["ES384"].(crypto.Signer).Public())
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, header string
		reason       core.Reason
	}{
		{"good", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + jwk + `}`, ""},
		{"as exported by WebCrypto", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"ext":true,"key_ops":["verify"],"alg":"ES256"`) + `}`, ""},
		{"no typ", `{"alg":"ES256","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"typ JWT", `{"typ":"JWT","alg":"ES256","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"typ in other letter case", `{"typ":"DPoP+JWT","alg":"ES256","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"typ with application", `{"typ":"application/dpop+jwt","alg":"ES256","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"typ null", `{"typ":null,"alg":"ES256","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"alg none", `{"typ":"dpop+jwt","alg":"none","jwk":` + jwk + `}`, core.ReasonBadAlgorithm},
		{"alg of a secret", `{"typ":"dpop+jwt","alg":"HS256","jwk":` + jwk + `}`, core.ReasonBadAlgorithm},
		{"alg of another curve", `{"typ":"dpop+jwt","alg":"ES384","jwk":` + jwk + `}`, core.ReasonBadAlgorithm},
		{"alg of RSA", `{"typ":"dpop+jwt","alg":"RS256","jwk":` + jwk + `}`, core.ReasonBadAlgorithm},
		{"alg of the key is another", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"alg":"ES384"`) + `}`, core.ReasonMalformed},
		{"no alg", `{"typ":"dpop+jwt","jwk":` + jwk + `}`, core.ReasonMalformed},
		{"no jwk", `{"typ":"dpop+jwt","alg":"ES256"}`, core.ReasonMalformed},
		{"jwk null", `{"typ":"dpop+jwt","alg":"ES256","jwk":null}`, core.ReasonMalformed},
		{"jwk string", `{"typ":"dpop+jwt","alg":"ES256","jwk":"` + jkt + `"}`, core.ReasonMalformed},
		{"jwk empty", `{"typ":"dpop+jwt","alg":"ES256","jwk":{}}`, core.ReasonMalformed},
		{"jwk twice", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + jwk + `,"jwk":` + jwk + `}`, core.ReasonMalformed},
		{"a member of jwk twice", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"kty":"EC"`) + `}`, core.ReasonMalformed},
		{"private key", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"d":"AQ"`) + `}`, core.ReasonMalformed},
		{"secret beside the key", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"k":"AQ"`) + `}`, core.ReasonMalformed},
		{"secret", `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"oct","alg":"HS256","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}}`, core.ReasonMalformed},
		{"for encryption", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + with(`"use":"enc"`) + `}`, core.ReasonMalformed},
		{"a point off the curve", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + strings.Replace(jwk, `"x":"`, `"x":"AA`, 1) + `}`, core.ReasonMalformed},
		{"another key", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + jwkOf(t, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public()) + `}`, core.ReasonBadSignature},
		{"another kind of key", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + other + `}`, core.ReasonBadAlgorithm},
		{"crit", `{"typ":"dpop+jwt","alg":"ES256","crit":["jwk"],"jwk":` + jwk + `}`, core.ReasonMalformed},
		{"b64", `{"typ":"dpop+jwt","alg":"ES256","b64":true,"jwk":` + jwk + `}`, core.ReasonMalformed},
		{"RSA key for ES256", `{"typ":"dpop+jwt","alg":"ES256","jwk":` + jwkOf(t, weak.Public()) + `}`, core.ReasonMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantProof(t, sign(t, "ES256", key, tc.header, `{}`), tc.reason)
		})
	}
	good := sign(t, "ES256", key, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk+`}`, `{"a":1}`)
	for name, text := range map[string]string{
		"empty": "", "no dots": "a", "two parts": "a.b", "four parts": good + ".a", "a space after it": good + " ", "a comma": good + "," + good,
		"padding": good + "=", "not base64": "!" + good[1:],
	} {
		t.Run(name, func(t *testing.T) { wantProof(t, text, core.ReasonMalformed) })
	}
	wantProof(t, good[:len(good)-4]+"AAAA", core.ReasonBadSignature)
	wantProof(t, sign(t, "ES256", key, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk+`}`, `[]`), core.ReasonMalformed)
	wantProof(t, sign(t, "ES256", key, `{"typ":"dpop+jwt","alg":"ES256","jwk":`+jwk+`}`, `{"a":1,"a":2}`), core.ReasonMalformed)
}

func TestProofByAHugeRSAKeyIsRefused(t *testing.T) {
	n := "gQ" + strings.Repeat("AAAA", 342) + "AB" // odd, above 8192 bits
	header := `{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"` + n + `"}}`
	wantProof(t, part(header)+"."+part(`{}`)+".AAAA", core.ReasonMalformed)
}

// wantProof checks that a proof passes if reason is "", and otherwise that its refusal
// leaves code and description to the scheme.
func wantProof(t testing.TB, jws string, reason core.Reason) {
	t.Helper()
	p, err := jwtauth.VerifyProof(jws, "dpop+jwt", asymmetric)
	if reason == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var bad *core.CredentialError
	if p != nil || !errors.As(err, &bad) || bad.Reason != reason || bad.Code != "" || bad.Description != "" || bad.Err == nil {
		t.Errorf("%v, %#v (%v), want reason %s", p, bad, err, reason)
	}
}

func TestThumbprint(t *testing.T) {
	for _, tc := range []struct{ name, jwk, want string }{
		{
			"RFC 7638 §3.1",
			`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`,
			"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		},
		{"RFC 8037 A.3", rfcEdKey, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{"RFC 9449 §4.1", `{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}`, jkt},
	} {
		keys, err := jwks(t, tc.jwk).Keys(t.Context(), "")
		if err != nil || len(keys) != 1 || keys[0].Thumbprint() != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, keys[0].Thumbprint(), tc.want)
		}
	}
	secretKey, err := jwtauth.HMACKey("", "HS256", secret)
	if err != nil || secretKey.Thumbprint() != "" {
		t.Errorf("a secret has the thumbprint %q (%v)", secretKey.Thumbprint(), err)
	}
	if got := new(jwtauth.Key).Thumbprint(); got != "" {
		t.Errorf("no key has the thumbprint %q", got)
	}
}

func FuzzVerifyProof(f *testing.F) {
	f.Add(rfcProof)
	f.Add("")
	f.Add("..")
	f.Add(part(`{"typ":"dpop+jwt","alg":"RS256","jwk":{"kty":"RSA","e":"AQAB","n":"AQ"}}`) + "." + part(`{}`) + ".AA")
	f.Fuzz(func(t *testing.T, jws string) {
		p, err := jwtauth.VerifyProof(jws, "dpop+jwt", asymmetric)
		var bad *core.CredentialError
		switch {
		case err == nil && (len(p.Thumbprint) != 43 || p.Claims == nil):
			t.Errorf("%+v", p)
		case err != nil && (p != nil || !errors.As(err, &bad)):
			t.Errorf("%v, %v", p, err)
		case err == nil && strings.Count(jws, ".") != 2:
			t.Errorf("%q passed", jws)
		}
		if err == nil {
			if _, jsonErr := json.Marshal(p.Claims); jsonErr != nil {
				t.Error(jsonErr)
			}
		}
	})
}
