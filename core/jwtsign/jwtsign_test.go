package jwtsign_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

const (
	issuer   = "https://issuer.example"
	audience = "reports"
)

var algorithms = []string{"ES256", "ES384", "ES512", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

func newKey(t testing.TB, opts ...jwtsign.KeyOption) *jwtsign.Key {
	t.Helper()
	key, err := jwtsign.GenerateKey(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rsaKey is the one RSA key of all tests, since making one takes long.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// keyFor is a key for an algorithm.
func keyFor(t testing.TB, alg string, opts ...jwtsign.KeyOption) *jwtsign.Key {
	t.Helper()
	opts = append(opts, jwtsign.WithAlgorithm(alg))
	if alg[:2] != "RS" && alg[:2] != "PS" {
		return newKey(t, opts...)
	}
	key, err := jwtsign.NewKey(rsaKey(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newSigner(t testing.TB, key *jwtsign.Key, opts ...jwtsign.Option) *jwtsign.Signer {
	t.Helper()
	s, err := jwtsign.New(key, append([]jwtsign.Option{jwtsign.WithIssuer(issuer), jwtsign.WithAudience(audience)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newVerifier verifies what a signer of newSigner signs, by the strictest
// profile there is.
func newVerifier(t testing.TB, keys jwtauth.KeySource, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	v, err := jwtauth.New(keys, append([]jwtauth.Option{
		jwtauth.WithIssuer(issuer), jwtauth.WithAudience(audience), jwtauth.WithAccessTokenProfile(), jwtauth.WithLeeway(0),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t testing.TB, s *jwtsign.Signer, token jwtsign.Token) string {
	t.Helper()
	text, err := s.Sign(token)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func reasonOf(err error) core.Reason {
	var bad *core.CredentialError
	if errors.As(err, &bad) {
		return bad.Reason
	}
	return ""
}

func TestTokensVerifyByThePublishedSet(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			s := newSigner(t, keyFor(t, alg))
			published, err := s.JWKS()
			if err != nil {
				t.Fatal(err)
			}
			set, err := jwtauth.KeySetFromJWKS("published", published)
			if err != nil {
				t.Fatal(err)
			}
			for _, keys := range []jwtauth.KeySource{s, set} {
				p, err := newVerifier(t, keys).VerifyToken(t.Context(), sign(t, s, jwtsign.Token{
					Subject: "erin", Roles: []string{"editor"}, Scopes: []string{"a", "b:c"}, Claims: map[string]any{"region": "eu"},
				}))
				if err != nil {
					t.Fatal(err)
				}
				region, _ := p.Claim("region")
				if p.ID() != "erin" || !p.HasRole("editor") || !p.HasScope("a") || !p.HasScope("b:c") || region != "eu" {
					t.Errorf("principal %v", p)
				}
			}
		})
	}
}

func TestRSAKeysAreMadeLargeEnough(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: making an RSA key takes seconds, and -short is given")
	}
	key := newKey(t, jwtsign.WithAlgorithm("PS256"))
	public, err := key.Public().MarshalJSON()
	if err != nil || key.Algorithm() != "PS256" || len(public) < 3072/6 {
		t.Errorf("%s, %v", public, err)
	}
}

// part decodes one part of a token.
func part(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTokenHasTheFormOfRFC9068(t *testing.T) {
	at := time.Unix(1_800_000_000, 500)
	key := newKey(t)
	s := newSigner(t, key, jwtsign.WithClock(func() time.Time { return at }), jwtsign.WithLifetime(90*time.Second))
	token, exp, err := s.SignUntil(jwtsign.Token{Subject: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	header, claims := part(t, token, 0), part(t, token, 1)
	if len(header) != 3 || header["typ"] != "at+jwt" || header["alg"] != "ES256" || header["kid"] != key.ID() || key.ID() != key.Public().Thumbprint() {
		t.Errorf("header %v", header)
	}
	jti, _ := claims["jti"].(string)
	delete(claims, "jti")
	if len(jti) < 22 {
		t.Errorf("jti %q has fewer than 128 bits", jti)
	}
	want := map[string]any{"iss": issuer, "sub": "erin", "aud": audience, "client_id": issuer, "iat": 1_800_000_000.0, "exp": 1_800_000_091.0}
	if fmt.Sprint(claims) != fmt.Sprint(want) || exp.Unix() != 1_800_000_091 {
		t.Errorf("claims %v until %v, want %v", claims, exp, want)
	}
	other := part(t, sign(t, s, jwtsign.Token{Subject: "erin", ID: "first", Client: "app", Audience: []string{"a", "b"}, Lifetime: time.Hour}), 1)
	if other["jti"] != "first" || other["client_id"] != "app" || fmt.Sprint(other["aud"]) != "[a b]" || other["exp"] != 1_800_003_601.0 {
		t.Errorf("claims %v", other)
	}
}

func TestWhatCannotBeMeantIsRefused(t *testing.T) {
	s := newSigner(t, newKey(t))
	for name, token := range map[string]jwtsign.Token{
		"no subject":        {},
		"subject not UTF-8": {Subject: "er\xffin"},
		"scope of two":      {Subject: "erin", Scopes: []string{"a b"}},
		"empty scope":       {Subject: "erin", Scopes: []string{""}},
		"quoted scope":      {Subject: "erin", Scopes: []string{`a"`}},
		"empty role":        {Subject: "erin", Roles: []string{""}},
		"empty audience":    {Subject: "erin", Audience: []string{""}},
		"ID not UTF-8":      {Subject: "erin", ID: "\xff"},
		"past lifetime":     {Subject: "erin", Lifetime: -time.Hour},
		"no lifetime":       {Subject: "erin", Lifetime: time.Millisecond},
		"endless lifetime":  {Subject: "erin", Lifetime: 1 << 62},
		"claim iss":         {Subject: "erin", Claims: map[string]any{"iss": "other"}},
		"claim exp":         {Subject: "erin", Claims: map[string]any{"exp": 1}},
		"claim roles":       {Subject: "erin", Claims: map[string]any{"roles": "admin"}},
		"claim no JSON":     {Subject: "erin", Claims: map[string]any{"f": func() {}}},
	} {
		if token, err := s.Sign(token); err == nil {
			t.Errorf("%s: signed as %s", name, token)
		}
	}
	key := newKey(t)
	for name, opts := range map[string][]jwtsign.Option{
		"no issuer":     nil,
		"two issuers":   {jwtsign.WithIssuer("a"), jwtsign.WithIssuer("b")},
		"empty issuer":  {jwtsign.WithIssuer("")},
		"no audiences":  {jwtsign.WithIssuer("a"), jwtsign.WithAudience()},
		"no lifetime":   {jwtsign.WithIssuer("a"), jwtsign.WithLifetime(0)},
		"no clock":      {jwtsign.WithIssuer("a"), jwtsign.WithClock(nil)},
		"nil key":       {jwtsign.WithIssuer("a"), jwtsign.WithFormerKeys(nil)},
		"a nil option":  {jwtsign.WithIssuer("a"), nil},
		"client a blur": {jwtsign.WithIssuer("a"), jwtsign.WithClient("\xff")},
	} {
		if _, err := jwtsign.New(key, opts...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	lone, err := jwtsign.New(key, jwtsign.WithIssuer(issuer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lone.Sign(jwtsign.Token{Subject: "erin"}); err == nil {
		t.Error("a token for nobody is signed")
	}
}

func TestFormerKeyVerifiesForTheTimeStated(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return at }
	first, second := newKey(t), newKey(t, jwtsign.WithAlgorithm("EdDSA"))
	s := newSigner(t, first, jwtsign.WithClock(clock), jwtsign.WithLifetime(24*time.Hour))
	v := newVerifier(t, s, jwtauth.WithClock(clock))
	old := sign(t, s, jwtsign.Token{Subject: "erin"})
	if err := s.Rotate(second, time.Hour); err != nil {
		t.Fatal(err)
	}
	published, err := s.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwtauth.KeySetFromJWKS("published", published)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := newVerifier(t, set, jwtauth.WithClock(clock))
	fresh := sign(t, s, jwtsign.Token{Subject: "victor"})
	if kid := part(t, fresh, 0)["kid"]; kid != second.ID() || s.Key() != second {
		t.Errorf("signed by %v after the rotation", kid)
	}
	for _, step := range []struct {
		at  time.Duration
		old core.Reason
	}{{0, ""}, {time.Hour - time.Second, ""}, {time.Hour, core.ReasonUnknownKey}, {2 * time.Hour, core.ReasonUnknownKey}} {
		at = time.Unix(1_800_000_000, 0).Add(step.at)
		for name, v := range map[string]*jwtauth.Verifier{"here": v, "elsewhere": elsewhere} {
			if _, err := v.VerifyToken(t.Context(), old); reasonOf(err) != step.old || (err == nil) != (step.old == "") {
				t.Errorf("%s after %v: former key: %v", name, step.at, err)
			}
			if _, err := v.VerifyToken(t.Context(), fresh); err != nil {
				t.Errorf("%s after %v: new key: %v", name, step.at, err)
			}
		}
	}
	published, err = s.JWKS()
	if err != nil || strings.Contains(string(published), first.ID()) {
		t.Errorf("%s, %v: a key that is over is still published", published, err)
	}
	if err := s.Rotate(second, 0); err != nil || s.Key() != second {
		t.Errorf("rotating to the same key: %v", err)
	}
	if _, err := v.VerifyToken(t.Context(), fresh); err != nil {
		t.Errorf("rotating to the same key took it out: %v", err)
	}
	if s.Rotate(nil, 0) == nil || s.Rotate(newKey(t), -1) == nil {
		t.Error("a rotation that means nothing is accepted")
	}
}

func TestLoadRotatesToTheFile(t *testing.T) {
	first, second := newKey(t), newKey(t)
	s := newSigner(t, first)
	old := sign(t, s, jwtsign.Token{Subject: "erin"})
	text, err := second.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load("signing.pem", text); err != nil || s.Key().ID() != second.ID() {
		t.Fatalf("signs by %s: %v", s.Key().ID(), err)
	}
	if _, err := newVerifier(t, s).VerifyToken(t.Context(), old); err != nil {
		t.Error(err)
	}
	if err := s.Load("signing.pem", []byte("half a file")); err == nil || s.Key().ID() != second.ID() {
		t.Errorf("a broken file: %v", err)
	}
}

func TestRotationLosesNoToken(t *testing.T) {
	keys := make([]*jwtsign.Key, 8)
	for i := range keys {
		keys[i] = newKey(t, jwtsign.WithAlgorithm([]string{"ES256", "EdDSA"}[i%2]))
	}
	s := newSigner(t, keys[0])
	v := newVerifier(t, s)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				token, err := s.Sign(jwtsign.Token{Subject: "erin"})
				if err == nil {
					_, err = v.VerifyToken(context.Background(), token)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, key := range keys[1:] {
		all.Go(func() {
			if err := s.Rotate(key, time.Hour); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	set, err := s.Keys(t.Context(), "")
	if err != nil || len(set) != len(keys) {
		t.Errorf("%d keys of %d are left: %v", len(set), len(keys), err)
	}
	if !slices.ContainsFunc(set, func(k *jwtauth.Key) bool { return k.ID() == s.Key().ID() && k.Until().IsZero() }) {
		t.Error("the key that signs is not in the set for good")
	}
}
