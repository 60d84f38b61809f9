// Package dpoptest is the part of the conformance suite for tokens bound to a key (RFC
// 9449). [Run] tests an adapter over real sockets with dpop, bearer and jwtauth behind its
// gates, and with real proofs in the requests.
package dpoptest

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

// Run runs every case against f. Cases are independent and run in parallel. They cover
// fields, methods and targets as the adapter presents them. What is independent of
// adapters, such as each member of a proof, is covered by this package's own tests.
func Run(t *testing.T, f authtest.Framework) {
	for name, run := range map[string]func(*testing.T, authtest.Framework){
		"B19 B23 exactly one token, and one proof":    fields,
		"B20 B22 a proof is for one request":          oneRequest,
		"B21 a nonce that is wanted is handed out":    handedNonce,
		"B18 each scheme has its tokens and its word": ownScheme,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

// The challenges without an error code.
const (
	asksBearer = `Bearer realm="api"`
	asksDPoP   = `DPoP realm="api", algs="ES256 EdDSA"`
)

// app has a route for tokens by Bearer and by DPoP, at https://api.example/door.
type app struct {
	t      *testing.T
	addr   string
	events *authtest.Recorder
	runs   atomic.Int64
	signer *jwtsign.Signer
	client *prove.Key
}

func newApp(t *testing.T, f authtest.Framework, opts ...dpop.Option) *app {
	t.Helper()
	a := &app{t: t, events: new(authtest.Recorder), client: prove.NewKey(t)}
	key := must.Have(jwtsign.GenerateKey())(t)
	a.signer = must.Have(jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("reports")))(t)
	verifier := must.Have(jwtauth.New(a.signer, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports")))(t)
	free := must.Have(bearer.New("api", verifier))(t)
	bound := must.Have(dpop.New("api", "https://api.example", verifier, append(opts, dpop.WithAlgorithms("ES256", "EdDSA"))...))(t)
	g := must.Have(core.NewGuard([]core.Authenticator{free, bound}, core.WithObserver(a.events)))(t)
	a.addr = f.Start(t, authtest.App{Routes: []authtest.Route{{
		Methods: []string{"GET", "HEAD", "POST"}, Pattern: "/door", Gates: []authtest.Gate{{Kind: "Authenticate", Guard: g}, {Kind: "Optional", Guard: g}},
		Handler: func(x authtest.Exchange) error {
			a.runs.Add(1)
			return x.Text(http.StatusOK, x.Principal().ID()+" by "+x.Principal().Scheme())
		},
	}}})
	return a
}

// token returns a token for alice, bound to the client's key or not.
func (a *app) token(bound bool) string {
	a.t.Helper()
	token := jwtsign.Token{Subject: "alice"}
	if bound {
		token.Claims = map[string]any{"cnf": map[string]any{"jkt": a.client.Thumbprint()}}
	}
	return must.Have(a.signer.Sign(token))(a.t)
}

// by returns the header line for a token with a scheme.
func by(scheme, token string) string { return "Authorization: " + scheme + " " + token }

// proves returns the header line with a proof for a request with token.
func (a *app) proves(method, token string, change ...func(prove.Proof)) string {
	a.t.Helper()
	p := a.client.Proof(method, "https://api.example/door", token, time.Now())
	for _, c := range change {
		c(p)
	}
	return "DPoP: " + a.client.Sign(a.t, p)
}

// gets sends a request, and fails the test unless it passes, or is refused with this status
// for this reason and with these challenges.
func (a *app) gets(what, method string, status int, reason core.Reason, challenges []string, header ...string) authtest.Answer {
	a.t.Helper()
	runs := a.runs.Load()
	got := authtest.Send(a.t, a.addr, authtest.Request(method, "/door", append(header, "Content-Length: 0")...))
	if got.Status != status || !slices.Equal(got.Header.Values("WWW-Authenticate"), challenges) {
		a.t.Errorf("%s: %d with challenges %q, want %d with %q", what, got.Status, got.Header.Values("WWW-Authenticate"), status, challenges)
	}
	if e := a.events.Last(a.t); e.Reason != reason || (a.runs.Load()-runs == 1) != (status == http.StatusOK) {
		a.t.Errorf("%s: event %s (%v), want %s; the handler ran %d times", what, e.Reason, e.Cause, reason, a.runs.Load()-runs)
	}
	if vary := strings.ToLower(strings.Join(got.Header.Values("Vary"), ", ")); !strings.Contains(vary, "authorization") || !strings.Contains(vary, "dpop") {
		a.t.Errorf("%s: Vary %q", what, vary)
	}
	return got
}

// errs returns the challenges with an error for one of the schemes, and that of the other.
func errs(scheme, params string) []string {
	if scheme == "Bearer" {
		return []string{asksBearer + ", " + params, asksDPoP}
	}
	return []string{asksBearer, `DPoP realm="api", ` + params + `, algs="ES256 EdDSA"`}
}

// fields checks the DPoP field by RFC 9449 §4.3, items 1 and 2, and §7.2, figure 19.
func fields(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	token := a.token(true)
	credentials, one, two := by("DPoP", token), a.proves("GET", token), a.proves("GET", token)
	needed := errs("DPoP", `error="invalid_dpop_proof", error_description="The request needs exactly one DPoP proof"`)
	a.gets("no proof", "GET", 401, dpop.ReasonMissingProof, needed, credentials)
	a.gets("two", "GET", 401, dpop.ReasonMissingProof, needed, credentials, one, two)
	a.gets("two in another letter case", "GET", 401, dpop.ReasonMissingProof, needed, credentials, one, "dpop: "+strings.TrimPrefix(two, "DPoP: "))
	a.gets("nothing", "GET", 401, core.ReasonNoCredentials, []string{asksBearer, asksDPoP})
	both := []string{`Bearer realm="api", error="invalid_request"`, `DPoP realm="api", error="invalid_request", algs="ES256 EdDSA"`}
	a.gets("Bearer and DPoP", "GET", 400, core.ReasonAmbiguous, both, by("Bearer", token), credentials, one)
	a.gets("DPoP twice", "GET", 400, core.ReasonAmbiguous, both, credentials, credentials, one)
	if got := a.gets("one of each", "GET", 200, core.ReasonAllowed, nil, credentials, one); got.Body != "alice by DPoP" {
		t.Errorf("%q", got.Body)
	}
}

// oneRequest checks that a proof for GET is not accepted for HEAD, even if the framework
// answers both alike, and that the gates of one guard consume a proof only once.
func oneRequest(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	token := a.token(true)
	other := errs("DPoP", `error="invalid_dpop_proof", error_description="The DPoP proof was made for another method"`)
	again := errs("DPoP", `error="invalid_dpop_proof", error_description="The DPoP proof was used before"`)
	for _, method := range []string{"GET", "HEAD", "POST"} {
		proof := a.proves(method, token)
		for _, wrong := range []string{"GET", "HEAD", "POST"} {
			if wrong != method {
				a.gets(method+" as "+wrong, wrong, 401, core.ReasonBadClaim, other, by("DPoP", token), proof)
			}
		}
		a.gets(method, method, 200, core.ReasonAllowed, nil, by("DPoP", token), proof)
		a.gets(method+" again", method, 401, core.ReasonReplayed, again, by("DPoP", token), proof)
	}
}

// handedNonce checks that nonces are provided as in RFC 9449 §8 and §9.
func handedNonce(t *testing.T, f authtest.Framework) {
	a := newApp(t, f, dpop.WithNonces(time.Minute, []byte("thirty-two bytes, known to tests")))
	token := a.token(true)
	wanted := errs("DPoP", `error="use_dpop_nonce", error_description="The DPoP proof needs the nonce of this response"`)
	got := a.gets("no nonce", "GET", 401, core.ReasonStale, wanted, by("DPoP", token), a.proves("GET", token))
	nonces := got.Header.Values("DPoP-Nonce")
	if len(nonces) != 1 {
		t.Fatalf("DPoP-Nonce %q, want one", nonces)
	}
	a.gets("its nonce", "GET", 200, core.ReasonAllowed, nil, by("DPoP", token), a.proves("GET", token, func(p prove.Proof) { p.Claims["nonce"] = nonces[0] }))
}

// ownScheme checks that bound tokens are only accepted with DPoP, and others only with
// Bearer (RFC 9449 §7.2).
func ownScheme(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	bound, free := a.token(true), a.token(false)
	const lacks = `error="invalid_token", error_description="The access token lacks a claim or holds one that is not valid"`
	a.gets("a bound token by Bearer", "GET", 401, core.ReasonBadClaim, errs("Bearer", lacks), by("Bearer", bound), a.proves("GET", bound))
	a.gets("a free token by DPoP", "GET", 401, core.ReasonBadClaim, errs("DPoP", lacks), by("DPoP", free), a.proves("GET", free))
	if got := a.gets("a free token by Bearer", "GET", 200, core.ReasonAllowed, nil, by("Bearer", free)); got.Body != "alice by Bearer" {
		t.Errorf("%q", got.Body)
	}
}
