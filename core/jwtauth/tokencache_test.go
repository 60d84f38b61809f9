package jwtauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/revoke"
)

// changing is a key source whose key can be replaced.
type changing struct {
	keys atomic.Pointer[[]*jwtauth.Key]
	err  atomic.Pointer[error]
}

func (c *changing) set(keys ...*jwtauth.Key) { c.keys.Store(&keys) }

func (c *changing) Keys(context.Context, string) ([]*jwtauth.Key, error) {
	if err := c.err.Load(); err != nil {
		return nil, *err
	}
	return *c.keys.Load(), nil
}

// cachedTwice verifies a token twice and reports whether the second result came from the
// cache and had the same principal.
func cachedTwice(t testing.TB, v *jwtauth.Verifier, token string) bool {
	t.Helper()
	first, err := v.VerifyToken(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	again, err := v.VerifyToken(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return first == again
}

func TestVerifiedTokensAreKept(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	token := hs256(t, goodClaims)
	long := hs256(t, with(`"x":"`+strings.Repeat("x", 4096)+`"`))
	if !cachedTwice(t, newVerifier(t, keys), token) {
		t.Error("verified twice")
	}
	if cachedTwice(t, newVerifier(t, keys, jwtauth.WithCacheSize(0)), token) {
		t.Error("cached with the cache off")
	}
	if cachedTwice(t, newVerifier(t, keys), long) {
		t.Error("a long token was cached")
	}
	if !cachedTwice(t, newVerifier(t, keys, jwtauth.WithoutExpiry()), hs256(t, without("exp"))) {
		t.Error("a token without exp was not cached")
	}
}

// A token that never expires is verified again every hour.
func TestTokenWithoutExpIsNotCachedForever(t *testing.T) {
	now := noon
	v := verifierBy(t, func() time.Time { return now }, hmacSet(t, "", "HS256"), jwtauth.WithoutExpiry())
	token := hs256(t, without("exp"))
	first, err := v.VerifyToken(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		after time.Duration
		kept  bool
	}{{time.Hour - 1, true}, {time.Hour, false}} {
		now = noon.Add(tc.after)
		again, err := v.VerifyToken(context.Background(), token)
		if err != nil || (again == first) != tc.kept {
			t.Errorf("after %v: kept %v, error %v", tc.after, again == first, err)
		}
	}
}

// E29: times are checked at every request.
func TestKeptTokenKeepsItsTimes(t *testing.T) {
	now := noon
	v := verifierBy(t, func() time.Time { return now }, hmacSet(t, "", "HS256"))
	token := hs256(t, with(`"nbf":1799999000`))
	for _, tc := range []struct {
		at     time.Time
		reason core.Reason
	}{
		{noon, ""},
		{noon.Add(90*time.Second - 1), ""},
		{noon.Add(90 * time.Second), core.ReasonExpired},
		{noon, ""},
		{time.Unix(1799999000, 0).Add(-30 * time.Second), ""},
		{time.Unix(1799999000, 0).Add(-31 * time.Second), core.ReasonNotYetValid}, // a clock that was set back
		{noon.AddDate(-20, 0, 0), core.ReasonBadClaim},
		{noon.Add(time.Hour), core.ReasonExpired},
	} {
		now = tc.at
		wantReason(t, v, token, tc.reason)
	}
}

// E29: at any time a cached token gets the same result as a new one.
func TestCachedTokenIsJudgedAsANewOne(t *testing.T) {
	const leeway, lifetime = 30 * time.Second, time.Hour
	now := noon
	clock := func() time.Time { return now }
	opts := []jwtauth.Option{jwtauth.WithoutExpiry(), jwtauth.WithLeeway(leeway), jwtauth.WithMaxLifetime(lifetime)}
	keys := hmacSet(t, "", "HS256")
	seconds := func(name string, at time.Time) string { return fmt.Sprintf("%q:%d", name, at.Unix()) }
	exp, iat, nbf := noon.Add(30*time.Minute), noon.Add(-10*time.Minute), noon.Add(-20*time.Minute)
	for _, members := range [][]string{
		{seconds("exp", exp)},
		{seconds("exp", exp), seconds("iat", iat)},
		{seconds("exp", exp), seconds("iat", iat), seconds("nbf", nbf)},
		{seconds("exp", exp), seconds("iat", nbf), seconds("nbf", iat)},
		{seconds("iat", iat)},
		{seconds("nbf", nbf), seconds("iat", iat)},
		nil,
	} {
		claims := strings.Join(append([]string{strings.TrimSuffix(without("exp"), "}")}, members...), ",") + "}"
		token := hs256(t, claims)
		for _, edge := range []time.Time{exp.Add(leeway), exp, exp.Add(-lifetime), iat.Add(-leeway), nbf.Add(-leeway), iat, nbf, time.Unix(0, 0), noon.AddDate(300, 0, 0)} {
			for _, off := range []time.Duration{-1, 0, 1} {
				kept, fresh := verifierBy(t, clock, keys, opts...), verifierBy(t, clock, keys, append(opts, jwtauth.WithCacheSize(0))...)
				now = noon
				wantReason(t, kept, token, "")
				now = edge.Add(off)
				_, want := fresh.VerifyToken(context.Background(), token)
				_, got := kept.VerifyToken(context.Background(), token)
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s at %v: %v, seen first %v", claims, now, got, want)
				}
			}
		}
	}
}

// E09, E10: a cached token is valid only as long as its key.
func TestKeptTokenGoesWithItsKey(t *testing.T) {
	source := new(changing)
	key := verificationKey(t, "k1", "HS256")
	source.set(key)
	v := newVerifier(t, source)
	token := sign(t, "HS256", secret, headerOf("HS256", "k1"), goodClaims)
	if !cachedTwice(t, v, token) {
		t.Fatal("not kept")
	}
	source.set()
	wantReason(t, v, token, core.ReasonUnknownKey)
	other, err := jwtauth.HMACKey("k1", "HS256", []byte(strings.Repeat("another secret. ", 4)))
	if err != nil {
		t.Fatal(err)
	}
	source.set(other)
	wantReason(t, v, token, core.ReasonBadSignature)
	source.set(key, other)
	wantReason(t, v, token, core.ReasonUnknownKey) // two fit
	down := error(&core.UnavailableError{Err: errors.New("no keys")})
	source.err.Store(&down)
	if _, err := v.VerifyToken(context.Background(), token); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
	source.err.Store(nil)
	source.set(key)
	wantReason(t, v, token, "")
}

// E09: a key verifies nothing from its end on, whether a token is cached or not.
func TestKeyStopsAtItsEnd(t *testing.T) {
	now := noon
	key := verificationKey(t, "k1", "HS256").EndingAt(noon.Add(time.Minute))
	for name, opts := range map[string][]jwtauth.Option{"cached": nil, "not cached": {jwtauth.WithCacheSize(0)}} {
		v := verifierBy(t, func() time.Time { return now }, set(t, key), opts...)
		for _, kid := range []string{"k1", ""} {
			token := sign(t, "HS256", secret, headerOf("HS256", kid), goodClaims)
			for at, reason := range map[time.Duration]core.Reason{0: "", time.Minute - 1: "", time.Minute: core.ReasonUnknownKey, time.Minute + 1: core.ReasonUnknownKey} {
				now = noon.Add(at)
				t.Run(fmt.Sprintf("%s, kid %q, %v", name, kid, at), func(t *testing.T) { wantReason(t, v, token, reason) })
			}
		}
	}
}

// E29: verifiers share no cache, and a cached token stays bound or unbound.
func TestKeptTokenIsForItsVerifierAndScheme(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	token := hs256(t, goodClaims)
	wantReason(t, newVerifier(t, keys), token, "")
	other, err := jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("payroll"),
		jwtauth.WithClock(func() time.Time { return noon }))
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, other, token, core.ReasonWrongAudience)

	v := newVerifier(t, keys)
	bound := hs256(t, with(`"cnf":{"jkt":"`+strings.Repeat("A", 43)+`"}`))
	wantReason(t, v, bound, core.ReasonBadClaim)
	for range 2 {
		p, jkt, err := v.VerifyBoundToken(context.Background(), bound)
		if err != nil || p.Scheme() != "DPoP" || len(jkt) != 43 {
			t.Errorf("bound token: %v, %q, %v", p, jkt, err)
		}
		wantReason(t, v, bound, core.ReasonBadClaim)
		wantReason(t, v, token, "")
		if _, _, err := v.VerifyBoundToken(context.Background(), token); err == nil {
			t.Error("an unbound token passed as bound")
		}
	}
}

// E25: a respelt signature does not evade revocation, and a known payload does not bypass
// the signature.
func TestRespeltTokens(t *testing.T) {
	key := signers()["ES256"].(*ecdsa.PrivateKey)
	revoked, err := revoke.New()
	if err != nil {
		t.Fatal(err)
	}
	v := newVerifier(t, set(t, verificationKey(t, "e", "ES256")), jwtauth.WithRevocation(revoked))
	token := sign(t, "ES256", key, headerOf("ES256", "e"), with(`"jti":"j-1"`))
	dot := strings.LastIndexByte(token, '.')
	signature := must(base64.RawURLEncoding.DecodeString(token[dot+1:]))
	s := new(big.Int).Sub(key.Params().N, new(big.Int).SetBytes(signature[32:]))
	twin := token[:dot+1] + base64.RawURLEncoding.EncodeToString(append(signature[:32:32], s.FillBytes(make([]byte, 32))...))
	if twin == token {
		t.Fatal("the same text")
	}
	wantReason(t, v, token, "")
	wantReason(t, v, twin, "") // an equally valid signature
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	wantReason(t, v, signParts(t, "ES256", stranger, token[:dot]), core.ReasonBadSignature)
	wantReason(t, v, token[:dot+1], core.ReasonBadSignature)
	if err := revoked.Revoke(revoke.Entry{ID: "j-1"}); err != nil {
		t.Fatal(err)
	}
	wantReason(t, v, token, core.ReasonRevoked)
	wantReason(t, v, twin, core.ReasonRevoked)
}

// E25: the signature of a cached token is valid for that token only.
func TestKeptSignatureIsForItsToken(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	token := hs256(t, goodClaims)
	wantReason(t, v, token, "")
	p := strings.Split(token, ".")
	for name, other := range map[string]string{
		"other claims":                p[0] + "." + part(with(`"roles":["admin"]`)) + "." + p[2],
		"other header":                part(`{"alg":"HS256","typ":"JWT"}`) + "." + p[1] + "." + p[2],
		"claims with one more letter": p[0] + "." + part(goodClaims+" ") + "." + p[2],
	} {
		t.Run(name, func(t *testing.T) { wantReason(t, v, other, core.ReasonBadSignature) })
	}
	for _, malformed := range []string{p[2], "." + p[2], ".." + p[2], p[1] + "." + p[2]} {
		wantReason(t, v, malformed, core.ReasonMalformed)
	}
	wantReason(t, v, token, "")
}

func TestKeptTokenIsCheap(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	token := hs256(t, goodClaims)
	wantReason(t, v, token, "")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := v.VerifyToken(context.Background(), token); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a token that was verified before", n)
	}
}

// Allocations: the payload's text, its map, which the principal shares, one box for each
// value, the principal, and the cache entry.
func TestNewTokenIsCheap(t *testing.T) {
	v := newVerifier(t, hmacSet(t, "", "HS256"))
	tokens := make([]string, 300)
	for i := range tokens {
		tokens[i] = hs256(t, with(fmt.Sprintf(`"jti":"%d"`, i)))
	}
	i := 0
	if n := testing.AllocsPerRun(len(tokens)-1, func() {
		if _, err := v.VerifyToken(context.Background(), tokens[i]); err != nil {
			t.Fatal(err)
		}
		i++
	}); n > 12+raceSlack {
		t.Errorf("%v allocations for a token that was not seen before", n)
	}
}

// A token is a miss when it is first seen and a hit afterwards, whatever the result; a
// token that bypasses the cache is neither.
func TestLookUpsOfTokensAreCounted(t *testing.T) {
	keys := hmacSet(t, "", "HS256")
	token, other := hs256(t, goodClaims), hs256(t, with(`"x":"y"`))
	v := newVerifier(t, keys)
	cachedTwice(t, v, token)
	cachedTwice(t, v, other)
	if _, err := v.VerifyToken(t.Context(), token+"x"); err == nil {
		t.Fatal("a spoilt token passed")
	}
	if got, want := v.CacheStats(), (core.CacheStats{Hits: 2, Misses: 3, Entries: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	off := newVerifier(t, keys, jwtauth.WithCacheSize(0))
	cachedTwice(t, off, token)
	if got := off.CacheStats(); got != (core.CacheStats{}) {
		t.Errorf("without a cache: %+v", got)
	}
}
