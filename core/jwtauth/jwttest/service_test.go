package jwttest

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/rule"
)

// The routes of a service. All but onSecret are behind a guard with the issuer's JWK set;
// that one is behind a guard with its secrets.
const (
	onPublic   = "/public"   // Authenticate
	onSecret   = "/secret"   // Authenticate
	onOptional = "/optional" // Optional
	onRole     = "/role"     // Require(rule.Role("auditor"))
	onScope    = "/scope"    // Require(rule.Scope("read", "write"))
)

// service is an app that requires tokens.
type service struct {
	t      *testing.T
	keys   *keys
	addr   string
	events *authtest.Recorder
	runs   atomic.Int64                   // of all handlers
	last   atomic.Pointer[core.Principal] // the principal in the last handler
}

// serve starts a service whose verifiers have further options.
func (b bench) serve(t *testing.T, opts ...jwtauth.Option) *service {
	t.Helper()
	s := &service{t: t, keys: b.keys, events: new(authtest.Recorder)}
	published, err := jwtauth.KeySetFromJWKS("jwks.json", b.keys.jwks(t))
	if err != nil {
		t.Fatal(err)
	}
	public := s.guard(published, opts...)
	secret := s.guard(s.secrets(), opts...)
	app := authtest.App{}
	for pattern, gate := range map[string]authtest.Gate{
		onPublic:   {Kind: "Authenticate", Guard: public},
		onSecret:   {Kind: "Authenticate", Guard: secret},
		onOptional: {Kind: "Optional", Guard: public},
		onRole:     {Kind: "Require", Guard: public, Rules: []core.Authorizer{rule.Role("auditor")}},
		onScope:    {Kind: "Require", Guard: public, Rules: []core.Authorizer{rule.Scope("read", "write")}},
	} {
		app.Routes = append(app.Routes, authtest.Route{
			Methods: []string{"GET"}, Pattern: pattern, Gates: []authtest.Gate{gate}, Handler: s.handle,
		})
	}
	s.addr = b.framework.Start(t, app)
	return s
}

// secrets is the set of the issuer's HMAC keys.
func (s *service) secrets() *jwtauth.KeySet {
	s.t.Helper()
	var list []*jwtauth.Key
	for _, alg := range secretAlgorithms {
		key, err := jwtauth.HMACKey(kid(alg), alg, s.keys.signing[alg].([]byte))
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, key)
	}
	set, err := jwtauth.NewKeySet(list...)
	if err != nil {
		s.t.Fatal(err)
	}
	return set
}

// guard requires a bearer token signed with one of keys.
func (s *service) guard(keys jwtauth.KeySource, opts ...jwtauth.Option) *core.Guard {
	s.t.Helper()
	return s.guardOf(verifier(s.t, keys, opts...))
}

// verifier accepts the issuer's good tokens.
func verifier(t testing.TB, keys jwtauth.KeySource, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	return verifierBy(t, func() time.Time { return time.Unix(noon, 0) }, keys, opts...)
}

// verifierBy does so with the given clock.
func verifierBy(t testing.TB, clock func() time.Time, keys jwtauth.KeySource, opts ...jwtauth.Option) *jwtauth.Verifier {
	t.Helper()
	v, err := jwtauth.New(keys, append([]jwtauth.Option{
		jwtauth.WithIssuer(issuer), jwtauth.WithAudience(audience), jwtauth.WithTenant("tenant"), jwtauth.WithClock(clock),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// guardOf requires a bearer token that v accepts.
func (s *service) guardOf(v bearer.TokenVerifier) *core.Guard {
	s.t.Helper()
	scheme, err := bearer.New(realm, v)
	if err != nil {
		s.t.Fatal(err)
	}
	g, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(s.events))
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// serveFor starts a service with onPublic and onScope behind v.
func (b bench) serveFor(t *testing.T, v bearer.TokenVerifier) *service {
	t.Helper()
	s := &service{t: t, keys: b.keys, events: new(authtest.Recorder)}
	g := s.guardOf(v)
	s.addr = b.framework.Start(t, authtest.App{Routes: []authtest.Route{
		{Methods: []string{"GET"}, Pattern: onPublic, Gates: []authtest.Gate{{Kind: "Authenticate", Guard: g}}, Handler: s.handle},
		{Methods: []string{"GET"}, Pattern: onScope, Gates: []authtest.Gate{
			{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Scope("read", "write")}},
		}, Handler: s.handle},
	}})
	return s
}

func (s *service) handle(x authtest.Exchange) error {
	s.runs.Add(1)
	p := x.Principal()
	s.last.Store(p)
	if p == nil {
		return x.Text(http.StatusOK, "nobody")
	}
	return x.Text(http.StatusOK, p.ID())
}

// attempt is a token and the expected reason for refusing it, or "" if it proves the
// subject.
type attempt struct {
	name, token string
	reason      core.Reason
}

// try sends each token to path.
func (s *service) try(path string, attempts ...attempt) {
	s.t.Helper()
	for _, a := range attempts {
		runs, seen := s.runs.Load(), len(s.events.Events())
		answer := authtest.Send(s.t, s.addr, authtest.Request("GET", path, authorization(a.token)))
		events := s.events.Events()[seen:]
		if len(events) != 1 {
			s.t.Errorf("%s %s: %d events, answer %d %q", path, a.name, len(events), answer.Status, answer.Body)
			continue
		}
		ran := s.runs.Load() - runs
		if err := a.judge(answer, events[0], ran); err != nil {
			s.t.Errorf("%s %s: %v", path, a.name, err)
		}
	}
}

// judge compares the answer to a token, its event and the number of handler calls.
func (a attempt) judge(answer authtest.Answer, e core.Event, ran int64) error {
	if a.reason != "" {
		return refusal{http.StatusUnauthorized, core.CodeInvalidToken, a.reason, a.token}.check(answer, e, ran)
	}
	switch {
	case answer.Status != http.StatusOK || answer.Body != subject:
		return fmt.Errorf("%d %q (%v), want it to pass", answer.Status, answer.Body, e.Cause)
	case ran != 1:
		return fmt.Errorf("handler ran %d times", ran)
	case e.Outcome != core.OutcomeAllowed || e.PrincipalID != subject || e.Scheme != "Bearer":
		return fmt.Errorf("event %s for %q by %q", e.Outcome, e.PrincipalID, e.Scheme)
	}
	return nil
}
