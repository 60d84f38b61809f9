package jwtauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/introspect"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
)

const otherIssuer = "https://other.example"

// twoIssuers are the issuer of goodClaims with an ES256 key for "reports", and another
// with RS256 and EdDSA for "payroll". Both use the kid "k".
func twoIssuers(t testing.TB, opts ...jwtauth.Option) *jwtauth.Issuers {
	t.Helper()
	other, err := jwtauth.New(set(t, verificationKey(t, "k", "RS256"), verificationKey(t, "d", "EdDSA")), append([]jwtauth.Option{
		jwtauth.WithIssuer(otherIssuer), jwtauth.WithAudience("payroll"), jwtauth.WithAlgorithms("RS256"), jwtauth.WithMaxTokenSize(2000),
		jwtauth.WithClock(func() time.Time { return noon })}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := jwtauth.NewIssuers(newVerifier(t, set(t, verificationKey(t, "k", "ES256")), append(opts, jwtauth.WithMaxTokenSize(1000))...), other)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// E12: RFC 8725 §3.8: neither keys nor audiences nor algorithms mix.
func TestIssuersDoNotMix(t *testing.T) {
	others := strings.NewReplacer("https://issuer.example", otherIssuer, "reports", "payroll").Replace(goodClaims)
	for _, tc := range []struct {
		name, alg, kid, claims string
		reason                 core.Reason
	}{
		{"first", "ES256", "k", goodClaims, ""},
		{"second", "RS256", "k", others, ""},
		{"first by the second's key", "RS256", "k", goodClaims, core.ReasonBadAlgorithm},
		{"second by the first's key", "ES256", "k", others, core.ReasonBadAlgorithm},
		{"second by an algorithm of the first", "EdDSA", "d", others, core.ReasonBadAlgorithm},
		{"first for the second's audience", "ES256", "k", with(`"aud":"payroll"`), core.ReasonWrongAudience},
		{"nobody's", "ES256", "k", with(`"iss":"https://evil.example"`), core.ReasonWrongIssuer},
		{"with a slash", "ES256", "k", with(`"iss":"https://issuer.example/"`), core.ReasonWrongIssuer},
		{"no issuer", "ES256", "k", without("iss"), core.ReasonWrongIssuer},
		{"two issuers", "ES256", "k", with(`"iss":["https://issuer.example","` + otherIssuer + `"]`), core.ReasonWrongIssuer},
		{"issuer twice", "ES256", "k", `{"iss":"` + otherIssuer + `",` + goodClaims[1:], core.ReasonMalformed},
		{"no claims", "ES256", "k", `null`, core.ReasonMalformed},
		{"too long for all", "RS256", "k", with(`"x":"` + strings.Repeat("x", 3000) + `"`), core.ReasonMalformed},
		{"too long for its own", "ES256", "k", with(`"x":"` + strings.Repeat("x", 900) + `"`), core.ReasonMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			token := sign(t, tc.alg, signers()[tc.alg], headerOf(tc.alg, tc.kid), tc.claims)
			for name, all := range map[string]*jwtauth.Issuers{"cache": twoIssuers(t), "no cache": twoIssuers(t, jwtauth.WithCacheSize(0))} {
				for range 2 {
					p, err := all.VerifyToken(context.Background(), token)
					var bad *core.CredentialError
					if tc.reason == "" && err != nil || tc.reason != "" && (p != nil || !errors.As(err, &bad) || bad.Reason != tc.reason) {
						t.Errorf("%s: principal %v, error %v, want reason %q", name, p, err, tc.reason)
					}
				}
			}
		})
	}
	for _, token := range []string{"", ".", "a.b", "a.b.c.d", "..", "e30.e30.", "eyJhbGciOiJub25lIn0." + part(goodClaims) + "."} {
		if p, err := twoIssuers(t).VerifyToken(context.Background(), token); err == nil {
			t.Errorf("%q passed as %v", token, p)
		}
	}
}

func TestIssuersVerifyBoundTokens(t *testing.T) {
	all := twoIssuers(t)
	token := sign(t, "ES256", signers()["ES256"], headerOf("ES256", "k"), with(`"cnf":{"jkt":"`+strings.Repeat("A", 43)+`"}`))
	if p, jkt, err := all.VerifyBoundToken(context.Background(), token); err != nil || p.ID() != "alice" || len(jkt) != 43 {
		t.Errorf("%v, %q, %v", p, jkt, err)
	}
	if _, err := all.VerifyToken(context.Background(), token); err == nil {
		t.Error("passed as a Bearer token")
	}
	if _, _, err := all.VerifyBoundToken(context.Background(), "x"); err == nil {
		t.Error("x passed")
	}
}

// TestIDsOfIssuers: a sub is unique only within its issuer (RFC 7519 §4.1.2), so no other
// issuer can prove the IDs of an issuer with a prefix, whether or not a token is cached.
func TestIDsOfIssuers(t *testing.T) {
	t.Parallel()
	others := strings.NewReplacer("https://issuer.example", otherIssuer, "reports", "payroll").Replace
	for name, tc := range map[string]struct {
		own, others string // prefixes
		alg, sub    string
		more        string
		want        string // "" for a refusal
	}{
		"no prefix":                       {others: "b:", alg: "ES256", sub: "alice", want: "alice"},
		"prefix":                          {others: "b:", alg: "RS256", sub: "alice", want: "b:alice"},
		"client":                          {others: "b:", alg: "RS256", sub: "app", more: `,"client_id":"app"`, want: "b:client:app"},
		"sub like the other's":            {others: "b:", alg: "ES256", sub: "b:alice"},
		"sub that is the other's prefix":  {others: "b:", alg: "ES256", sub: "b:"},
		"sub like its own":                {others: "b:", alg: "RS256", sub: "b:alice", want: "b:b:alice"},
		"prefix within the other's":       {own: "b:", others: "b:c:", alg: "ES256", sub: "c:alice"},
		"prefix within, and another name": {own: "b:", others: "b:c:", alg: "ES256", sub: "alice", want: "b:alice"},
		"both within":                     {own: "b:", others: "b:c:", alg: "RS256", sub: "alice", want: "b:c:alice"},
		"the same":                        {own: "b:", others: "b:", alg: "RS256", sub: "alice", want: "b:alice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefixed := func(prefix string, opts ...jwtauth.Option) []jwtauth.Option {
				if prefix != "" {
					opts = append(opts, jwtauth.WithIDPrefix(prefix))
				}
				return opts
			}
			one := newVerifier(t, set(t, verificationKey(t, "k", "ES256")), prefixed(tc.own)...)
			other := must(jwtauth.New(set(t, verificationKey(t, "k", "RS256")), prefixed(tc.others, jwtauth.WithIssuer(otherIssuer),
				jwtauth.WithAudience("payroll"), jwtauth.WithClock(func() time.Time { return noon }))...))
			all := must(jwtauth.NewIssuers(one, other))
			claims := with(`"sub":"` + tc.sub + `"` + tc.more)
			if tc.alg == "RS256" {
				claims = others(claims)
			}
			token := sign(t, tc.alg, signers()[tc.alg], headerOf(tc.alg, "k"), claims)
			for range 2 {
				p, err := all.VerifyToken(context.Background(), token)
				var bad *core.CredentialError
				switch {
				case tc.want != "" && (err != nil || p.ID() != tc.want):
					t.Errorf("principal %v, error %v, want %q", p, err, tc.want)
				case tc.want == "" && (p != nil || !errors.As(err, &bad) || bad.Reason != core.ReasonBadClaim):
					t.Errorf("principal %v, error %v, want a refusal", p, err)
				}
			}
		})
	}
}

func TestIssuersAreChecked(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	anybody, err := jwtauth.New(hmacSet(t, "", "HS256"), jwtauth.WithoutIssuer(), jwtauth.WithAudience("a"))
	if err != nil {
		t.Fatal(err)
	}
	for name, list := range map[string][]*jwtauth.Verifier{
		"none": nil, "nil": {nil}, "zero": {new(jwtauth.Verifier)}, "any issuer": {v, anybody}, "twice": {v, newVerifier(t, hmacSet(t, "", "HS256"))},
	} {
		if _, err := jwtauth.NewIssuers(list...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// named is a verifier that accepts everything under its name.
type named string

func (n named) VerifyToken(context.Context, string) (*core.Principal, error) {
	return core.NewPrincipal(core.PrincipalInfo{ID: string(n)})
}

func TestTokensAreDispatchedByForm(t *testing.T) {
	v, err := jwtauth.ByForm(named("jwt"), named("opaque"))
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		hs256(t, goodClaims):                        "jwt",
		"eyJhbGciOiJub25lIn0.e30.":                  "jwt",
		"e30.e30.":                                  "jwt",
		"ewogImFsZyI6Im5vbmUifQ.x.y":                "jwt",
		part("{"+strings.Repeat("x", 200)) + ".x.y": "jwt",
		"IHsiYWxnIjoibm9uZSJ9..":                    "jwt", // a space in front
		"2YotnFZFEjr1zCsicMWpAA":                    "opaque",
		"a.b":                                       "opaque",
		"v1.user.token":                             "opaque",
		"..":                                        "opaque",
		"eyJhbGciOiJkaXIifQ..a.b.c":                 "opaque", // five parts: a JWE (RFC 7516)
		"eyJh$.x.y":                                 "opaque",
		"":                                          "opaque",
		strings.Repeat(".", 1<<20):                  "opaque",
	} {
		p, err := v.VerifyToken(context.Background(), token)
		if err != nil || p.ID() != want {
			t.Errorf("%.40q goes to %v, want %s", token, p.ID(), want)
		}
	}
	for _, pair := range [][2]bearer.TokenVerifier{{nil, named("x")}, {named("x"), nil}, {(*jwtauth.Verifier)(nil), named("x")}} {
		if _, err := jwtauth.ByForm(pair[0], pair[1]); err == nil {
			t.Error("nil is accepted")
		}
	}
}

// TestIDsByForm: an opaque token proves no ID of a JWT issuer, and a JWT none of the
// opaque tokens' issuer.
func TestIDsByForm(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		jwts, opaque string // prefixes
		sub          string
		jwt, other   string // the ID by each form, "" for a refusal
	}{
		"no prefix":                  {sub: "a:erin", jwt: "a:erin", other: "a:erin"},
		"prefix of JWTs":             {jwts: "a:", sub: "a:erin", jwt: "a:a:erin"},
		"prefix of opaque tokens":    {opaque: "a:", sub: "a:erin", other: "a:a:erin"},
		"prefixes, one in the other": {jwts: "a:", opaque: "a:b:", sub: "b:erin", other: "a:b:b:erin"},
		"the same prefix":            {jwts: "a:", opaque: "a:", sub: "a:erin", jwt: "a:a:erin", other: "a:a:erin"},
		"others":                     {jwts: "a:", opaque: "b:", sub: "erin", jwt: "a:erin", other: "b:erin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				more := ""
				if r.FormValue("token") == "bound" {
					more = `,"cnf":{"jkt":"` + jkt + `"}`
				}
				fmt.Fprintf(w, `{"active":true,"sub":%q,"aud":"reports"%s}`, tc.sub, more)
			}))
			t.Cleanup(issuer.Close)
			var ofJWTs []jwtauth.Option
			ofOpaque := []introspect.Option{introspect.WithoutIssuer(), introspect.WithAudience("reports")}
			if tc.jwts != "" {
				ofJWTs = append(ofJWTs, jwtauth.WithIDPrefix(tc.jwts))
			}
			if tc.opaque != "" {
				ofOpaque = append(ofOpaque, introspect.WithIDPrefix(tc.opaque))
			}
			jwts := newVerifier(t, hmacSet(t, "", "HS256"), ofJWTs...)
			opaque := must(introspect.New(issuer.URL, introspect.Secret("reports", "secret"), ofOpaque...))
			for form, by := range map[string]bearer.TokenVerifier{
				"one issuer":      must(jwtauth.ByForm(jwts, opaque)),
				"several issuers": must(jwtauth.ByForm(must(jwtauth.NewIssuers(jwts)), opaque)),
				"beside more":     must(jwtauth.ByForm(must(jwtauth.ByForm(jwts, jwts)), opaque)),
				"wrapped":         must(jwtauth.ByForm(wrapping{jwts}, wrapping{opaque})),
			} {
				check := func(token, want string, verify func(context.Context, string) (*core.Principal, error)) {
					t.Helper()
					p, err := verify(context.Background(), token)
					var bad *core.CredentialError
					switch {
					case want != "" && (err != nil || p.ID() != want):
						t.Errorf("%s, %.8s: principal %v, error %v, want %q", form, token, p, err, want)
					case want == "" && (p != nil || !errors.As(err, &bad) || bad.Reason != core.ReasonBadClaim):
						t.Errorf("%s, %.8s: principal %v, error %v, want a refusal", form, token, p, err)
					}
				}
				check(hs256(t, with(`"sub":"`+tc.sub+`"`)), tc.jwt, by.VerifyToken)
				check("opaque", tc.other, by.VerifyToken)
				bound, ok := by.(dpop.TokenVerifier)
				if ok == (form == "wrapped") {
					t.Errorf("%s: accepts bound tokens: %v", form, ok)
				}
				if !ok {
					continue
				}
				verify := func(ctx context.Context, token string) (*core.Principal, error) {
					p, key, err := bound.VerifyBoundToken(ctx, token)
					if err == nil && key != jkt {
						t.Errorf("%s: key %q", form, key)
					}
					return p, err
				}
				check(hs256(t, with(`"sub":"`+tc.sub+`","cnf":{"jkt":"`+jkt+`"}`)), tc.jwt, verify)
				check("bound", tc.other, verify)
			}
		})
	}
}

// wrapping is a verifier that wraps another.
type wrapping struct{ inner bearer.TokenVerifier }

func (w wrapping) VerifyToken(ctx context.Context, token string) (*core.Principal, error) {
	return w.inner.VerifyToken(ctx, token)
}

func (w wrapping) Unwrap() bearer.TokenVerifier { return w.inner }

// TestIssuersReadATokenOnce: a new token costs no more allocations with several issuers
// than with its own alone.
func TestIssuersReadATokenOnce(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	one := newVerifier(t, keys, jwtauth.WithCacheSize(0))
	other, err := jwtauth.New(keys, jwtauth.WithIssuer(otherIssuer), jwtauth.WithAudience("payroll"), jwtauth.WithCacheSize(0))
	if err != nil {
		t.Fatal(err)
	}
	several, err := jwtauth.NewIssuers(other, one)
	if err != nil {
		t.Fatal(err)
	}
	token := hs256(t, goodClaims)
	cost := func(v bearer.TokenVerifier) float64 {
		return testing.AllocsPerRun(200, func() {
			if _, err := v.VerifyToken(context.Background(), token); err != nil {
				t.Fatal(err)
			}
		})
	}
	alone, among := cost(one), cost(several)
	if among > alone+raceSlack {
		t.Errorf("%v allocations, %v with one issuer", among, alone)
	}
}

// TestByFormAllocatesNothing: a cached token costs no more behind ByForm.
func TestByFormAllocatesNothing(t *testing.T) {
	one := newVerifier(t, hmacSet(t, "", "HS256"), jwtauth.WithIDPrefix("a:"))
	v := must(jwtauth.ByForm(one, named("opaque")))
	token := hs256(t, goodClaims)
	cost := func(v bearer.TokenVerifier) float64 {
		return testing.AllocsPerRun(200, func() {
			if _, err := v.VerifyToken(context.Background(), token); err != nil {
				t.Fatal(err)
			}
		})
	}
	if alone, behind := cost(one), cost(v); behind > alone+raceSlack {
		t.Errorf("%v allocations, %v without ByForm", behind, alone)
	}
}
