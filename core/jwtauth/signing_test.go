package jwtauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/jwstest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// secret is long enough for every HMAC algorithm.
var secret = []byte(strings.Repeat("0123456789abcdef", 4))

// noon is the time of these tests' clocks.
var noon = time.Unix(1_800_000_000, 0)

const goodClaims = `{"iss":"https://issuer.example","aud":"reports","sub":"alice","exp":1800000060}`

func part(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// sign makes a token of a header and claims, verbatim.
func sign(t testing.TB, alg string, key any, header, claims string) string {
	t.Helper()
	return signParts(t, alg, key, part(header)+"."+part(claims))
}

func signParts(t testing.TB, alg string, key any, signed string) string {
	t.Helper()
	signature, err := jwstest.Sign(alg, key, signed)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// hs256 is a token with a valid HS256 signature and the given claims.
func hs256(t testing.TB, claims string) string {
	t.Helper()
	return sign(t, "HS256", secret, `{"alg":"HS256"}`, claims)
}

func hmacSet(t testing.TB, kid, alg string) *jwtauth.KeySet {
	t.Helper()
	key, err := jwtauth.HMACKey(kid, alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return set(t, key)
}

func set(t testing.TB, keys ...*jwtauth.Key) *jwtauth.KeySet {
	t.Helper()
	s, err := jwtauth.NewKeySet(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publicKey(t testing.TB, kid, alg string, key crypto.PublicKey) *jwtauth.Key {
	t.Helper()
	k, err := jwtauth.PublicKey(kid, alg, key)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newVerifier accepts goodClaims, at noon.
func newVerifier(t testing.TB, keys jwtauth.KeySource, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	return verifierBy(t, func() time.Time { return noon }, keys, opts...)
}

// verifierBy is a verifier with the given clock.
func verifierBy(t testing.TB, clock func() time.Time, keys jwtauth.KeySource, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	v, err := jwtauth.New(keys, append([]jwtauth.Option{
		jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports"), jwtauth.WithClock(clock),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wantReason checks that a token passes if reason is "", and otherwise that it is refused
// as E27 and RFC 6750 §3 require.
func wantReason(t testing.TB, v *jwtauth.Verifier, token string, reason core.Reason) {
	t.Helper()
	p, err := v.VerifyToken(context.Background(), token)
	if reason == "" {
		if err != nil || p == nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	if p != nil {
		t.Errorf("a principal %q was returned", p.ID())
	}
	var bad *core.CredentialError
	if !errors.As(err, &bad) {
		t.Errorf("error %v, want a CredentialError", err)
		return
	}
	if bad.Reason != reason || bad.Code != core.CodeInvalidToken {
		t.Errorf("reason %q, code %q, want reason %q (%v)", bad.Reason, bad.Code, reason, err)
	}
	if !strings.Contains(bad.Description, "access token") || strings.ContainsAny(bad.Description, "\"\\\r\n:") {
		t.Errorf("description %q", bad.Description)
	}
}

// signers are key pairs for every algorithm, generated once.
var signers = sync.OnceValue(func() map[string]any {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	return map[string]any{
		"HS256": secret, "HS384": secret, "HS512": secret,
		"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey,
		"PS256": rsaKey, "PS384": rsaKey, "PS512": rsaKey,
		"ES256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ES384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"ES512": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"EdDSA": must(edKey, err),
	}
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// verificationKey is the public half of signers()[alg].
func verificationKey(t testing.TB, kid, alg string) *jwtauth.Key {
	t.Helper()
	if s, ok := signers()[alg].(crypto.Signer); ok {
		return publicKey(t, kid, alg, s.Public())
	}
	key, err := jwtauth.HMACKey(kid, alg, secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func headerOf(alg, kid string) string {
	if kid == "" {
		return fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, alg)
	}
	return fmt.Sprintf(`{"alg":%q,"typ":"JWT","kid":%q}`, alg, kid)
}
