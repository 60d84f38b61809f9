package dpop_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
)

const (
	address = "https://api.example"
	token   = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
)

// noon is the initial time of these tests' clocks.
var noon = time.Unix(1_800_000_000, 0)

// verifier returns alice for every token, bound to jkt, or fails.
type verifier struct {
	jkt   string
	err   error
	asked int
}

func (v *verifier) VerifyBoundToken(context.Context, string) (*core.Principal, string, error) {
	v.asked++
	if v.err != nil {
		return nil, "", v.err
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	return p, v.jkt, err
}

// clock is set by tests.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// bench is an authenticator, a client's key and a clock.
type bench struct {
	*dpop.Authenticator
	verifier *verifier
	key      *prove.Key
	clock    *clock
}

func newBench(t testing.TB, opts ...dpop.Option) bench {
	t.Helper()
	key := prove.NewKey(t)
	b := bench{verifier: &verifier{jkt: key.Thumbprint()}, key: key, clock: &clock{at: noon}}
	var err error
	b.Authenticator, err = dpop.New("api", address, b.verifier, append([]dpop.Option{dpop.WithClock(b.clock.now)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// request is a GET of target with the given DPoP lines.
func request(target string, proofs ...string) *adapter.View {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Host = "attacker.example" // B20: it has no effect
	r.Header.Set("Authorization", "DPoP "+token)
	r.Header["Dpop"] = proofs
	return &adapter.View{Request: r}
}

// proof is a valid proof for a GET of /reports.
func (b bench) proof() prove.Proof {
	return b.key.Proof("GET", address+"/reports", token, b.clock.now())
}

// refused checks that err is a CredentialError with that code and reason, and a
// description fit to send.
func refused(t testing.TB, p *core.Principal, err error, code string, reason core.Reason) {
	t.Helper()
	var bad *core.CredentialError
	if p != nil || !errors.As(err, &bad) {
		t.Errorf("%v, %v, want %s", p, err, code)
		return
	}
	if bad.Code != code || bad.Reason != reason || bad.Description == "" || strings.ContainsAny(bad.Description, "\"\\\r\n") || bad.Err == nil {
		t.Errorf("code %q, reason %q, description %q (%v), want %s %s", bad.Code, bad.Reason, bad.Description, err, code, reason)
	}
}

func TestGoodProof(t *testing.T) {
	b := newBench(t)
	for _, target := range []string{"/reports", "/reports?page=2", "/%72eports", "http://attacker.example/reports"} {
		p, err := b.Authenticate(t.Context(), request(target, b.key.Sign(t, b.proof())))
		if err != nil || p.ID() != "alice" {
			t.Errorf("%s: %v, %v", target, p, err)
		}
	}
}

// RFC 9449 §4.1 and §7.1: the two printed proofs, and the second at another address,
// earlier, later and replayed.
func TestProofsOfRFC9449(t *testing.T) {
	const (
		head     = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
		atServer = head + "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
		atRes    = head + "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
		jkt      = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
		iat      = 1562262618
	)
	for _, tc := range []struct {
		name, address, target, proof string
		jkt                          string
		now                          int64
		code                         string
		reason                       core.Reason
	}{
		{"figure 13", "https://resource.example.org", "/protectedresource", atRes, jkt, iat, "", ""},
		{"figure 13, a minute later", "https://resource.example.org", "/protectedresource", atRes, jkt, iat + 90, "", ""},
		{"figure 13, too late", "https://resource.example.org", "/protectedresource", atRes, jkt, iat + 91, core.CodeInvalidProof, core.ReasonExpired},
		{"figure 13, clock behind", "https://resource.example.org", "/protectedresource", atRes, jkt, iat - 30, "", ""},
		{"figure 13, too early", "https://resource.example.org", "/protectedresource", atRes, jkt, iat - 31, core.CodeInvalidProof, core.ReasonNotYetValid},
		{"figure 13 at another path", "https://resource.example.org", "/protectedresources", atRes, jkt, iat, core.CodeInvalidProof, core.ReasonBadClaim},
		{"figure 13 at another host", "https://resource.example.com", "/protectedresource", atRes, jkt, iat, core.CodeInvalidProof, core.ReasonBadClaim},
		{"figure 13 at another port", "https://resource.example.org:8443", "/protectedresource", atRes, jkt, iat, core.CodeInvalidProof, core.ReasonBadClaim},
		{"figure 13 with a token of another key", "https://resource.example.org", "/protectedresource", atRes, jkt[1:] + "A", iat, core.CodeInvalidToken, dpop.ReasonWrongKey},
		{"figure 2, for a token request", "https://server.example.com", "/token", atServer, jkt, 1562262616, core.CodeInvalidProof, core.ReasonBadClaim},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := dpop.New("api", tc.address, &verifier{jkt: tc.jkt}, dpop.WithClock(func() time.Time { return time.Unix(tc.now, 0) }))
			if err != nil {
				t.Fatal(err)
			}
			p, err := a.Authenticate(t.Context(), request(tc.target, tc.proof))
			if tc.code != "" {
				refused(t, p, err, tc.code, tc.reason)
				return
			}
			if err != nil || p.ID() != "alice" {
				t.Fatalf("%v, %v", p, err)
			}
			p, err = a.Authenticate(t.Context(), request(tc.target, tc.proof))
			refused(t, p, err, core.CodeInvalidProof, core.ReasonReplayed) // B22
		})
	}
}

// B19: RFC 9449 §4.3 item 1 and 2.
func TestExactlyOneProof(t *testing.T) {
	b := newBench(t)
	one, two := b.key.Sign(t, b.proof()), b.key.Sign(t, b.proof())
	for name, proofs := range map[string][]string{
		"none": nil, "empty": {""}, "two": {one, two}, "the same twice": {one, one}, "one and an empty one": {one, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := b.Authenticate(t.Context(), request("/reports", proofs...))
			refused(t, p, err, core.CodeInvalidProof, dpop.ReasonMissingProof)
		})
	}
	if b.verifier.asked != 0 {
		t.Errorf("the token verifier was called %d times", b.verifier.asked)
	}
	for _, field := range []string{one + ", " + two, one + "," + two, one + " " + two, `"` + one + `"`, strings.Repeat("A", 9000)} {
		p, err := b.Authenticate(t.Context(), request("/reports", field))
		refused(t, p, err, core.CodeInvalidProof, core.ReasonMalformed)
	}
	if _, err := b.Authenticate(t.Context(), request("/reports", one)); err != nil {
		t.Errorf("a proof refused for being one of several is used up: %v", err)
	}
}

// B20: each member altered (RFC 9449 §4.3).
func TestProofMembers(t *testing.T) {
	header := func(name string, v any) func(prove.Proof) { return func(p prove.Proof) { p.Header[name] = v } }
	claim := func(name string, v any) func(prove.Proof) { return func(p prove.Proof) { p.Claims[name] = v } }
	without := func(name string) func(prove.Proof) { return func(p prove.Proof) { delete(p.Claims, name) } }
	for _, tc := range []struct {
		name   string
		change func(prove.Proof)
		reason core.Reason // "" for a good one
	}{
		{"as it is", func(prove.Proof) {}, ""},
		{"typ", header("typ", "jwt"), core.ReasonMalformed},
		{"no typ", header("typ", nil), core.ReasonMalformed},
		{"alg none", header("alg", "none"), core.ReasonBadAlgorithm},
		{"alg HS256", header("alg", "HS256"), core.ReasonBadAlgorithm},
		{"alg ES384", header("alg", "ES384"), core.ReasonBadAlgorithm},
		{"jwk missing", header("jwk", nil), core.ReasonMalformed},
		{"jwk with its private part", func(p prove.Proof) { p.Header["jwk"].(prove.Members)["d"] = "AQ" }, core.ReasonMalformed},
		{"htm of another method", claim("htm", "POST"), core.ReasonBadClaim},
		{"htm in lower case", claim("htm", "get"), core.ReasonBadClaim},
		{"htm no string", claim("htm", []string{"GET"}), core.ReasonBadClaim},
		{"no htm", without("htm"), core.ReasonBadClaim},
		{"htu in another spelling", claim("htu", "HTTPS://API.example:443/./x/../%72eports"), ""},
		{"htu of another path", claim("htu", address+"/report"), core.ReasonBadClaim},
		{"htu in other letter case", claim("htu", address+"/Reports"), core.ReasonBadClaim},
		{"htu with a slash", claim("htu", address+"/reports/"), core.ReasonBadClaim},
		{"htu with query", claim("htu", address+"/reports?page=2"), core.ReasonBadClaim},
		{"htu with empty query", claim("htu", address+"/reports?"), core.ReasonBadClaim},
		{"htu with fragment", claim("htu", address+"/reports#x"), core.ReasonBadClaim},
		{"htu of another scheme", claim("htu", "http://api.example/reports"), core.ReasonBadClaim},
		{"htu of another host", claim("htu", "https://attacker.example/reports"), core.ReasonBadClaim},
		{"htu with user", claim("htu", "https://api.example@attacker.example/reports"), core.ReasonBadClaim},
		{"htu relative", claim("htu", "/reports"), core.ReasonBadClaim},
		{"htu no string", claim("htu", 1), core.ReasonBadClaim},
		{"no htu", without("htu"), core.ReasonBadClaim},
		{"ath of another token", claim("ath", prove.Hash(token+"x")), core.ReasonBadClaim},
		{"ath padded", claim("ath", prove.Hash(token)+"="), core.ReasonBadClaim},
		{"ath is the token", claim("ath", token), core.ReasonBadClaim},
		{"no ath", without("ath"), core.ReasonBadClaim},
		{"iat with a fraction", claim("iat", float64(noon.Unix())+0.5), ""},
		{"iat in milliseconds", claim("iat", noon.UnixMilli()), core.ReasonBadClaim},
		{"iat quoted", claim("iat", "1800000000"), core.ReasonBadClaim},
		{"iat negative", claim("iat", -1), core.ReasonBadClaim},
		{"iat beyond all years", claim("iat", 1e300), core.ReasonBadClaim},
		{"no iat", without("iat"), core.ReasonBadClaim},
		{"iat too old", claim("iat", noon.Unix()-91), core.ReasonExpired},
		{"iat too new", claim("iat", noon.Unix()+31), core.ReasonNotYetValid},
		{"jti of 256 bytes", claim("jti", strings.Repeat("j", 256)), ""},
		{"jti of 257 bytes", claim("jti", strings.Repeat("j", 257)), core.ReasonBadClaim},
		{"jti empty", claim("jti", ""), core.ReasonBadClaim},
		{"jti number", claim("jti", 7), core.ReasonBadClaim},
		{"no jti", without("jti"), core.ReasonBadClaim},
		{"a nonce nobody asked for", claim("nonce", "x"), ""},
		{"a long claim", claim("x", strings.Repeat("x", 4<<10)), ""},
		{"more than 8 KiB", claim("x", strings.Repeat("x", 8<<10)), core.ReasonMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t)
			proof := b.proof()
			tc.change(proof)
			p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, proof)))
			if tc.reason == "" {
				if err != nil || p.ID() != "alice" {
					t.Errorf("%v, %v", p, err)
				}
				return
			}
			refused(t, p, err, core.CodeInvalidProof, tc.reason)
		})
	}
}

func TestProofByAnotherKey(t *testing.T) { // B20
	b := newBench(t)
	other := prove.NewKey(t)
	p, err := b.Authenticate(t.Context(), request("/reports", other.Sign(t, other.Proof("GET", address+"/reports", token, noon))))
	refused(t, p, err, core.CodeInvalidToken, dpop.ReasonWrongKey)
	p, err = b.Authenticate(t.Context(), request("/reports", other.Sign(t, b.proof()))) // contains one key, signed by the other
	refused(t, p, err, core.CodeInvalidProof, core.ReasonBadSignature)
}

// Proofs are checked after the token, and stored after all other checks.
func TestOnlyGoodTokensTakeUpRoom(t *testing.T) {
	full := &store{}
	b := newBench(t, dpop.WithReplays(full))
	b.verifier.err = &core.CredentialError{Reason: core.ReasonExpired, Description: "The access token expired"}
	p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
	refused(t, p, err, core.CodeInvalidToken, core.ReasonExpired)
	b.verifier.err = nil
	proof := b.proof()
	proof.Claims["htm"] = "PUT"
	p, err = b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, proof)))
	refused(t, p, err, core.CodeInvalidProof, core.ReasonBadClaim)
	if full.asked != 0 {
		t.Errorf("the store was called %d times", full.asked)
	}
}

// store is a replay store with a fixed answer.
type store struct {
	fresh bool
	err   error
	ttl   time.Duration
	asked int
}

func (s *store) Remember(_ context.Context, _, _ [32]byte, ttl time.Duration) (bool, error) {
	s.asked++
	s.ttl = ttl
	return s.fresh, s.err
}

func TestVerifierErrors(t *testing.T) {
	b := newBench(t)
	down := errors.New("key server is down")
	for _, tc := range []struct {
		err  error
		want func(error) bool
	}{
		{down, func(err error) bool { return errors.Is(err, down) }},
		{core.ErrNoCredentials, func(err error) bool {
			var internal *core.InternalError
			return errors.As(err, &internal) && !errors.Is(err, core.ErrNoCredentials)
		}},
		{&core.CredentialError{Reason: core.ReasonRevoked, Code: core.CodeInvalidCredentials}, func(err error) bool {
			var bad *core.CredentialError
			return errors.As(err, &bad) && bad.Code == core.CodeInvalidToken && bad.Reason == core.ReasonRevoked
		}},
	} {
		b.verifier.err = tc.err
		if p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof()))); p != nil || !tc.want(err) {
			t.Errorf("%v became %v, %v", tc.err, p, err)
		}
	}
	b.verifier.err, b.verifier.jkt = nil, ""
	p, err := b.Authenticate(t.Context(), request("/reports", b.key.Sign(t, b.proof())))
	refused(t, p, err, core.CodeInvalidToken, core.ReasonBadClaim)
}

// nobody is a verifier that breaks its contract.
type nobody struct{}

func (nobody) VerifyBoundToken(context.Context, string) (*core.Principal, string, error) {
	return nil, "", nil
}

func TestVerifierThatReturnsNothingIsAFault(t *testing.T) {
	a, err := dpop.New("api", address, nobody{})
	if err != nil {
		t.Fatal(err)
	}
	var internal *core.InternalError
	if p, err := a.Authenticate(t.Context(), request("/reports", "x")); p != nil || !errors.As(err, &internal) {
		t.Errorf("%v, %v", p, err)
	}
}

func TestOtherCredentials(t *testing.T) {
	b := newBench(t)
	for field, want := range map[string]bool{"": false, "Bearer " + token: false, "DPoPs x": false, "DPoP": true, "dpop a b": true, "DPoP\tx": true} {
		r := request("/reports", b.key.Sign(t, b.proof()))
		r.Request.Header.Set("Authorization", field)
		p, err := b.Authenticate(t.Context(), r)
		if account, ok := b.Scheme().Attempt(r); ok != want || account != "" {
			t.Errorf("%q is an attempt: %v for %q", field, ok, account)
		}
		if want {
			refused(t, p, err, core.CodeInvalidToken, core.ReasonMalformed)
		} else if !errors.Is(err, core.ErrNoCredentials) {
			t.Errorf("%q: %v", field, err)
		}
	}
	r := request("/reports", b.key.Sign(t, b.proof()))
	r.Request.Header.Add("Authorization", "Bearer "+token)
	if _, err := b.Authenticate(t.Context(), r); !errors.Is(err, core.ErrAmbiguousCredentials) { // B23
		t.Errorf("two Authorization lines: %v", err)
	}
}
