package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-go/sallyport/core/jwtauth"
)

const (
	agreeIssuer = "https://issuer.example"
	agreeClaims = `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1800000060}`
)

// agreeNow is what both clocks show.
var agreeNow = time.Unix(1_800_000_000, 0)

// agreeSigned signs a header and claims, as they are spelt, with golang-jwt.
func agreeSigned(t testing.TB, alg string, key any, header, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(header)) + "." + encode([]byte(claims))
	signature, err := jwt.GetSigningMethod(alg).Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(signature)
}

func agreeVerifier(t testing.TB, key *jwtauth.Key, err error) *jwtauth.Verifier {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtauth.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwtauth.New(keys, jwtauth.WithIssuer(agreeIssuer), jwtauth.WithAudience("reports"), jwtauth.WithClock(func() time.Time { return agreeNow }))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What golang-jwt signs passes with every algorithm, and no other claims do
// under its signature.
func TestAnotherLibrarysSignaturesPass(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signers := map[string]crypto.Signer{"EdDSA": edKey}
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"} {
		signers[alg] = rsaKey
	}
	for alg, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		if signers[alg], err = ecdsa.GenerateKey(curve, rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	check := func(alg string, signer any, v *jwtauth.Verifier) {
		token := agreeSigned(t, alg, signer, `{"alg":"`+alg+`"}`, agreeClaims)
		if p, err := v.VerifyToken(t.Context(), token); err != nil || p.ID() != "alice" {
			t.Errorf("%s: %v", alg, err)
		}
		signature := token[strings.LastIndexByte(token, '.'):]
		other := agreeSigned(t, alg, signer, `{"alg":"`+alg+`"}`, strings.Replace(agreeClaims, "alice", "admin", 1))
		if _, err := v.VerifyToken(t.Context(), other[:strings.LastIndexByte(other, '.')]+signature); err == nil {
			t.Errorf("%s: other claims pass", alg)
		}
	}
	for alg, signer := range signers {
		key, err := jwtauth.PublicKey("", alg, signer.Public())
		check(alg, signer, agreeVerifier(t, key, err))
	}
	for _, alg := range []string{"HS256", "HS384", "HS512"} {
		secret := []byte(strings.Repeat("0123456789abcdef", 4))
		key, err := jwtauth.HMACKey("", alg, secret)
		check(alg, secret, agreeVerifier(t, key, err))
	}
}

// FuzzAgreesWithAnotherLibrary signs whatever header and claims it is given.
// What passes must be what golang-jwt reads there too.
func FuzzAgreesWithAnotherLibrary(f *testing.F) {
	for _, claims := range []string{
		agreeClaims, "null", `{}`, `{"exp":1,` + agreeClaims[1:],
		strings.Replace(agreeClaims, "1800000060", "1e300", 1),
		strings.Replace(agreeClaims, "1800000060", "1800000060.5", 1),
		strings.Replace(agreeClaims, `"reports"`, `["reports",7]`, 1),
		strings.Replace(agreeClaims, `"reports"`, `["other","reports"]`, 1),
		strings.Replace(agreeClaims, "alice", `\u0061lice`, 1),
		strings.Replace(agreeClaims, `"sub"`, `"nbf":0,"iat":0.5,"sub"`, 1),
	} {
		f.Add(`{"alg":"HS256"}`, claims)
	}
	f.Add(`{"alg":"HS256","kid":"k1","typ":"JWT"}`, agreeClaims)
	f.Add(`{"alg":"HS256","crit":[]}`, agreeClaims)
	f.Add(`{"alg":"none"}`, agreeClaims)
	secret := []byte(strings.Repeat("0123456789abcdef", 4))
	key, err := jwtauth.HMACKey("k1", "HS256", secret)
	v := agreeVerifier(f, key, err)
	f.Fuzz(func(t *testing.T, header, claims string) {
		token := agreeSigned(t, "HS256", secret, header, claims)
		p, err := v.VerifyToken(t.Context(), token)
		if err != nil {
			return
		}
		parsed, err := jwt.NewParser(
			jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer(agreeIssuer), jwt.WithAudience("reports"),
			jwt.WithJSONNumber(), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(31*time.Second),
			jwt.WithTimeFunc(func() time.Time { return agreeNow }),
		).Parse(token, func(*jwt.Token) (any, error) { return secret, nil })
		if err != nil {
			t.Fatalf("%q passed, golang-jwt refuses it: %v", claims, err)
		}
		if sub, err := parsed.Claims.GetSubject(); err != nil || sub != p.ID() {
			t.Fatalf("%q passed as %q, golang-jwt reads %q", claims, p.ID(), sub)
		}
	})
}
