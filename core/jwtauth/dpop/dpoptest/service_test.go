package dpoptest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
	"github.com/sallyport-go/sallyport/core/rule"
)

const (
	address  = "https://api.example"
	issuer   = "https://issuer.example"
	audience = "reports"
	subject  = "alice"

	// The routes of a service, each for GET, HEAD and POST.
	onDoor  = "/door"  // Authenticate
	onGuest = "/guest" // Optional
	onScope = "/scope" // Require(rule.Scope("read"))
	onGold  = "/gold"  // Require(rule.ACR("gold"))
	onTwice = "/twice" // Authenticate, that of a variant for DPoP alone, and Require
)

// The challenges without an error.
const (
	bearerPlain = `Bearer realm="api"`
	dpopPlain   = `DPoP realm="api", algs="ES256 EdDSA"`
)

// service is an app that accepts bound tokens by DPoP and others by Bearer.
type service struct {
	t      *testing.T
	addr   string
	events *authtest.Recorder
	runs   atomic.Int64 // of all handlers
	issuer *prove.Key
	client *prove.Key
	time   atomic.Int64 // the time of its clock, in seconds since 1970
}

// serve starts a service whose DPoP scheme has further options.
func serve(t *testing.T, f authtest.Framework, opts ...dpop.Option) *service {
	t.Helper()
	s := &service{t: t, events: new(authtest.Recorder), issuer: prove.NewKey(t), client: prove.NewKey(t)}
	s.time.Store(1_800_000_000)
	keys, err := json.Marshal(prove.Members{"keys": []prove.Members{s.issuer.JWK()}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := jwtauth.KeySetFromJWKS("jwks.json", keys)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := jwtauth.New(set, jwtauth.WithIssuer(issuer), jwtauth.WithAudience(audience), jwtauth.WithClock(s.now))
	if err != nil {
		t.Fatal(err)
	}
	bound, err := dpop.New("api", address, verifier, append([]dpop.Option{dpop.WithClock(s.now), dpop.WithAlgorithms("ES256", "EdDSA")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := bearer.New("api", verifier)
	if err != nil {
		t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{plain, bound}, core.WithObserver(s.events))
	if err != nil {
		t.Fatal(err)
	}
	s.addr = f.Start(t, s.app(g))
	return s
}

// app serves the routes behind gates of g.
func (s *service) app(g *core.Guard) authtest.App {
	s.t.Helper()
	alone, err := g.With(core.WithSchemes("DPoP"))
	if err != nil {
		s.t.Fatal(err)
	}
	app := authtest.App{}
	for pattern, gates := range map[string][]authtest.Gate{
		onDoor:  {{Kind: "Authenticate", Guard: g}},
		onGuest: {{Kind: "Optional", Guard: g}},
		onScope: {{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Scope("read")}}},
		onGold:  {{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.ACR("gold")}}},
		onTwice: {
			{Kind: "Authenticate", Guard: g}, {Kind: "Authenticate", Guard: alone},
			{Kind: "Require", Guard: alone, Rules: []core.Authorizer{rule.Owner(subject)}},
		},
	} {
		app.Routes = append(app.Routes, authtest.Route{
			Methods: []string{"GET", "HEAD", "POST"}, Pattern: pattern, Gates: gates, Handler: s.handle,
		})
	}
	return app
}

func (s *service) now() time.Time { return time.Unix(s.time.Load(), 0) }

func (s *service) handle(x authtest.Exchange) error {
	s.runs.Add(1)
	p := x.Principal()
	if p == nil {
		return x.Text(http.StatusOK, "nobody")
	}
	return x.Text(http.StatusOK, p.ID()+" by "+p.Scheme())
}

// token is an access token with further claims, bound to jkt unless that is "".
func (s *service) token(jkt string, more prove.Members) string {
	s.t.Helper()
	claims := prove.Members{"iss": issuer, "aud": audience, "sub": subject, "exp": s.time.Load() + 3600}
	if jkt != "" {
		claims["cnf"] = prove.Members{"jkt": jkt}
	}
	maps.Copy(claims, more)
	return s.issuer.Sign(s.t, prove.Proof{Header: prove.Members{"alg": "ES256", "typ": "JWT"}, Claims: claims})
}

// bound is an access token bound to the client's key.
func (s *service) bound() string { return s.token(s.client.Thumbprint(), nil) }

// proof is a valid proof for a GET of path with token.
func (s *service) proof(path, token string) prove.Proof {
	return s.client.Proof("GET", address+path, token, s.now())
}

// lines returns the header lines of a token by DPoP and of proofs.
func lines(token string, proofs ...string) []string {
	out := []string{"Authorization: DPoP " + token}
	for _, p := range proofs {
		out = append(out, "DPoP: "+p)
	}
	return out
}

// sent returns the header lines of a token and a valid proof for a GET of path.
func (s *service) sent(path, token string) []string {
	s.t.Helper()
	return lines(token, s.client.Sign(s.t, s.proof(path, token)))
}

// admits fails the test unless a request passes as alice by scheme.
func (s *service) admits(what, method, path, scheme string, header ...string) authtest.Answer {
	s.t.Helper()
	a := authtest.Send(s.t, s.addr, authtest.Request(method, path, header...))
	want := subject + " by " + scheme
	if method == "HEAD" {
		want = ""
	}
	e := s.events.Last(s.t)
	if a.Status != http.StatusOK || a.Body != want || e.Outcome != core.OutcomeAllowed || e.Scheme != scheme {
		s.t.Errorf("%s: %d %q (%s %s: %v), want %s", what, a.Status, a.Body, e.Reason, e.Scheme, e.Cause, want)
	}
	return a
}

// refusal is the expected refusal of a request.
type refusal struct {
	status     int
	code       string
	reason     core.Reason
	challenges []string
}

// badProof is the refusal of a proof.
func badProof(reason core.Reason, description string) refusal {
	return refusal{http.StatusUnauthorized, core.CodeInvalidProof, reason, []string{
		bearerPlain, `DPoP realm="api", error="invalid_dpop_proof", error_description="` + description + `", algs="ES256 EdDSA"`,
	}}
}

// refuses fails the test unless a GET of path gets that refusal and no handler runs.
func (s *service) refuses(what, path string, want refusal, header ...string) authtest.Answer {
	s.t.Helper()
	runs := s.runs.Load()
	a := authtest.Send(s.t, s.addr, authtest.Request("GET", path, header...))
	if err := want.check(a, s.events.Last(s.t)); err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
	if s.runs.Load() != runs {
		s.t.Errorf("%s: the handler ran", what)
	}
	for _, line := range header {
		_, value, _ := strings.Cut(line, ": ")
		value = value[strings.LastIndexByte(value, ' ')+1:]
		if len(value) > 40 && strings.Contains(fmt.Sprint(a.Header, a.Body, s.events.Last(s.t).Cause), value) {
			s.t.Errorf("%s: %.20q… is leaked to client or observer", what, value)
		}
	}
	return a
}

func (r refusal) check(a authtest.Answer, e core.Event) error {
	var body struct{ Error string }
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		return fmt.Errorf("body %q: %w", a.Body, err)
	}
	got := a.Header.Values("WWW-Authenticate")
	parsed, err := challenge.Parse(got...)
	switch {
	case a.Status != r.status || body.Error != r.code:
		return fmt.Errorf("%d %s, want %d %s (%s: %v)", a.Status, body.Error, r.status, r.code, e.Reason, e.Cause)
	case e.Reason != r.reason || e.Status != r.status:
		return fmt.Errorf("event %d %s (%v), want %s", e.Status, e.Reason, e.Cause, r.reason)
	case !slices.Equal(got, r.challenges):
		return fmt.Errorf("challenges %q, want %q", got, r.challenges)
	case err != nil || len(parsed) != len(got):
		return fmt.Errorf("challenges %q: %v, %w", got, parsed, err)
	case !slices.Equal(a.Header.Values("Cache-Control"), []string{"no-store"}):
		return fmt.Errorf("Cache-Control %q", a.Header.Values("Cache-Control"))
	}
	return nil
}
