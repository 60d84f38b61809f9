package jwttest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
	"github.com/sallyport-go/sallyport/core/rule"
)

// app has one route, which requires a token of an issuer with the scope read.
type app struct {
	t      *testing.T
	addr   string
	events *authtest.Recorder
	runs   atomic.Int64 // calls of the handler
}

// signs returns an issuer with its own key, whose clock is ahead by the given duration.
func signs(t *testing.T, key *jwtsign.Key, ahead time.Duration) *jwtsign.Signer {
	t.Helper()
	return must.Have(jwtsign.New(key, jwtsign.WithIssuer("https://issuer.example"), jwtsign.WithAudience("reports"),
		jwtsign.WithClock(func() time.Time { return time.Now().Add(ahead) })))(t)
}

// newKey generates a signing key.
func newKey(t *testing.T) *jwtsign.Key {
	t.Helper()
	return must.Have(jwtsign.GenerateKey())(t)
}

// tokenBy returns a token for alice with scopes.
func tokenBy(t *testing.T, s *jwtsign.Signer, scopes ...string) string {
	t.Helper()
	return must.Have(s.Sign(jwtsign.Token{Subject: "alice", Scopes: scopes}))(t)
}

// newApp serves an app on f that verifies tokens with keys.
func newApp(t *testing.T, f authtest.Framework, keys jwtauth.KeySource) *app {
	t.Helper()
	v := must.Have(jwtauth.New(keys, jwtauth.WithIssuer("https://issuer.example"), jwtauth.WithAudience("reports")))(t)
	scheme := must.Have(bearer.New("reports", v))(t)
	a := &app{t: t, events: new(authtest.Recorder)}
	g := must.Have(core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(a.events)))(t)
	a.addr = f.Start(t, authtest.App{Routes: []authtest.Route{{
		Methods: []string{"GET"}, Pattern: "/reports", Gates: []authtest.Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.Scope("read")}}},
		Handler: func(x authtest.Exchange) error {
			a.runs.Add(1)
			return x.Text(http.StatusOK, x.Principal().ID())
		},
	}}})
	return a
}

// authorization returns the header line for a token.
func authorization(token string) string { return "Authorization: Bearer " + token }

// answers fails the test unless a request gets this status for this reason, the challenge
// has these parameters after the realm, and the answer reveals no part of a token.
func (a *app) answers(what string, status int, reason core.Reason, params string, header ...string) {
	a.t.Helper()
	runs, seen := a.runs.Load(), len(a.events.Events())
	got := authtest.Send(a.t, a.addr, authtest.Request("GET", "/reports", header...))
	events := a.events.Events()[seen:]
	challenge := ""
	if status != http.StatusOK && status != http.StatusServiceUnavailable {
		challenge = `Bearer realm="reports"` + params
	}
	if line := strings.Join(got.Header.Values("WWW-Authenticate"), "|"); got.Status != status || line != challenge {
		a.t.Errorf("%s: %d with challenge %q, want %d with %q", what, got.Status, line, status, challenge)
	}
	if ran := a.runs.Load() - runs; (ran == 1) != (status == http.StatusOK) || ran > 1 {
		a.t.Errorf("%s: the handler ran %d times", what, ran)
	}
	if len(events) != 1 || events[0].Reason != reason || events[0].Status != status || (events[0].PrincipalID != "") != (status == http.StatusOK || status == http.StatusForbidden) {
		a.t.Errorf("%s: events %+v, want one for %s", what, events, reason)
	}
	told := fmt.Sprintf("%v %s %+v", got.Header, got.Body, events)
	for part := range strings.FieldsFuncSeq(strings.Join(header, " "), func(r rune) bool { return r == '.' || r == ' ' }) {
		if len(part) > len("Authorization:") && strings.Contains(told, part) {
			a.t.Errorf("%s: %.20q… of the token is told", what, part)
		}
	}
}
