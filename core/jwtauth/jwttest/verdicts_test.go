package jwttest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var verdictCases = []testCase{
	{"invariant 3 kinds of bad tokens are told apart", toldApart},
	{"E27 a refused token proves nobody at any gate", provesNobody},
	{"B03 each code has its status", codes},
	{"E01 a good token of every algorithm", everyAlgorithm},
	{"B10 B12 scopes of a token", tokenScopes},
	{"B12 scopes of another claim, in either form", scopeArray},
	{"roles of a token", tokenRoles},
}

// badTokens has one token for each reason. Their claims are good as far as the reason
// allows, and contain a secret.
func badTokens(t *testing.T, k *keys) []attempt {
	t.Helper()
	const more = `"pin":"needle-in-claims"`
	own := claims(more)
	return []attempt{
		{"expired", k.good(t, "ES256", more, `"exp":1700000000`), core.ReasonExpired},
		{"early", k.good(t, "ES256", more, `"nbf":1800009000`), core.ReasonNotYetValid},
		{"forged", signed(t, "ES256", k.foreign["ES256"], unsigned(header("ES256"), own)), core.ReasonBadSignature},
		{"rotated", k.token(t, "ES256", `{"alg":"ES256","kid":"key-of-last-year"}`, own), core.ReasonUnknownKey},
		{"unsecured", unsigned(`{"alg":"none"}`, own) + ".", core.ReasonBadAlgorithm},
		{"other issuer", k.good(t, "ES256", more, `"iss":"https://other.example"`), core.ReasonWrongIssuer},
		{"other service", k.good(t, "ES256", more, `"aud":"payroll"`), core.ReasonWrongAudience},
		{"numeric sub", k.good(t, "ES256", more, `"sub":7`), core.ReasonBadClaim},
		{"no dots", base64url([]byte(own)), core.ReasonMalformed},
	}
}

// toldApart: event and challenge distinguish the reasons, the body does not.
func toldApart(t *testing.T, b bench) {
	s := b.serve(t)
	bad := badTokens(t, b.keys)
	const bySetting = 2 // reasons that depend on configuration
	if len(bad)+bySetting != len(descriptions) {
		t.Fatalf("%d kinds of bad tokens, %d descriptions", len(bad), len(descriptions))
	}
	s.try(onPublic, bad...)
	s.try(onSecret,
		attempt{"expired", s.keys.good(t, "HS256", `"exp":1700000000`), core.ReasonExpired},
		attempt{"forged", signed(t, "HS256", s.keys.foreign["HS256"], unsigned(header("HS256"), claims())), core.ReasonBadSignature})
	s.refuse(onPublic, refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, ""})
}

// provesNobody: CVE-2024-51744. Optional does not treat a bad token as a missing one.
func provesNobody(t *testing.T, b bench) {
	s := b.serve(t)
	for _, path := range []string{onPublic, onOptional, onRole, onScope} {
		for _, a := range badTokens(t, b.keys) {
			s.try(path, a)
			e := s.events.Last(t)
			if text := fmt.Sprintf("%+v %v", e, e.Cause); strings.Contains(text, "needle") || e.PrincipalID != "" {
				t.Errorf("%s %s: claims in the event: %s", path, a.name, text)
			}
		}
	}
	if p := s.last.Load(); p != nil {
		t.Errorf("a handler saw %q", p.ID())
	}
	s.try(onOptional, attempt{"a good token", s.keys.good(t, "ES256"), ""})
}

// refuse sends header lines to path and fails the test unless the answer is the given
// refusal.
func (s *service) refuse(path string, want refusal, lines ...string) {
	s.t.Helper()
	runs, seen := s.runs.Load(), len(s.events.Events())
	answer := authtest.Send(s.t, s.addr, authtest.Request("GET", path, lines...))
	events := s.events.Events()[seen:]
	if len(events) != 1 {
		s.t.Errorf("%s %s: %d events, answer %d", path, want.code, len(events), answer.Status)
		return
	}
	if err := want.check(answer, events[0], s.runs.Load()-runs); err != nil {
		s.t.Errorf("%s %s: %v", path, want.code, err)
	}
}

// codes: RFC 6750 §3.1.
func codes(t *testing.T, b bench) {
	s := b.serve(t)
	all := s.keys.good(t, "ES256", `"scope":"write read"`)
	some := s.keys.good(t, "ES256", `"scope":"read"`)
	expired := s.keys.good(t, "ES256", `"scope":"write read"`, `"exp":1`)
	s.refuse(onScope, refusal{http.StatusBadRequest, core.CodeInvalidRequest, core.ReasonAmbiguous, all}, authorization(all), authorization(all))
	s.refuse(onScope, refusal{http.StatusBadRequest, core.CodeInvalidRequest, core.ReasonAmbiguous, all}, authorization(all), authorization("x"))
	s.refuse(onScope, refusal{http.StatusUnauthorized, core.CodeInvalidToken, core.ReasonExpired, expired}, authorization(expired))
	s.refuse(onScope, refusal{http.StatusForbidden, core.CodeInsufficientScope, core.ReasonMissingScope, some}, authorization(some))
	s.refuse(onScope, refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, ""})
	s.refuse(onScope, refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, ""}, "Authorization: Basic YTpi")
	s.try(onScope, attempt{"all scopes", all, ""})
}

// everyAlgorithm: tokens pass with and without a kid, and prove their claims.
func everyAlgorithm(t *testing.T, b bench) {
	s := b.serve(t)
	text := claims(`"roles":["auditor","clerk"]`, `"scope":"read write"`, `"tenant":"north"`, `"auth_time":1799999000`, `"n":{"a":[1]}`)
	for path, algorithms := range map[string][]string{onPublic: publicAlgorithms, onSecret: secretAlgorithms} {
		for _, alg := range algorithms {
			for _, head := range []string{header(alg), `{"alg":"` + alg + `"}`} {
				s.last.Store(nil)
				s.try(path, attempt{alg + " " + head, s.keys.token(t, alg, head, text), ""})
				checkPrincipal(t, alg, s.last.Load())
			}
			tampered := s.keys.token(t, alg, header(alg), text)
			dot := strings.LastIndexByte(tampered, '.')
			s.try(path,
				attempt{alg + " without signature", tampered[:dot+1], core.ReasonBadSignature},
				attempt{alg + " longer signature", tampered + "AAAA", core.ReasonBadSignature},
				attempt{alg + " other claims", unsigned(header(alg), claims(`"sub":"admin"`)) + tampered[dot:], core.ReasonBadSignature})
		}
	}
}

func checkPrincipal(t *testing.T, alg string, p *core.Principal) {
	t.Helper()
	if p == nil {
		t.Errorf("%s: the handler saw no principal", alg)
		return
	}
	roles, scopes := slices.Collect(p.Roles()), slices.Collect(p.Scopes())
	if p.ID() != subject || p.Scheme() != "Bearer" || p.Tenant() != "north" ||
		!slices.Equal(roles, []string{"auditor", "clerk"}) || !slices.Equal(scopes, []string{"read", "write"}) ||
		!p.Expires().Equal(time.Unix(noon+60, 0)) || !p.AuthTime().Equal(time.Unix(1799999000, 0)) {
		t.Errorf("%s: principal %q by %q of %q, roles %q, scopes %q, until %v, since %v",
			alg, p.ID(), p.Scheme(), p.Tenant(), roles, scopes, p.Expires(), p.AuthTime())
	}
	if n, _ := p.Claim("n"); fmt.Sprint(n) != "map[a:[1]]" {
		t.Errorf("%s: claim n is %v", alg, n)
	}
}

// tokenScopes: RFC 6749 §3.3, RFC 6750 §3: the claim is a string, split at spaces into a
// set, or an array with one scope in each element.
func tokenScopes(t *testing.T, b bench) {
	s := b.serve(t)
	for _, members := range []string{
		`"scope":"read write"`, `"scope":"write read"`, `"scope":"other write x:y read"`, `"scope":" read  write "`, `"scope":"read read write"`,
		`"scope":["read","write"]`,
	} {
		s.try(onScope, attempt{members, s.keys.good(t, "ES256", members), ""})
	}
	for _, members := range []string{
		`"scope":""`, `"scope":[]`, `"scope":["read"]`, `"scope":"read"`, `"scope":"write"`, `"scope":"readonly write"`, `"scope":"read writer"`, `"scope":"Read write"`,
		`"scope":"READ WRITE"`, `"scope":"read,write"`, `"scope":"read+write"`, `"scope":"readwrite"`, `"scope":"read:* write:*"`, `"scope":"*"`,
		`"scp":["read","write"]`, `"scp":"read write"`, `"scopes":"read write"`, `"Scope":"read write"`, `"roles":["read","write"]`,
	} {
		s.lacksScope(members)
	}
	for _, members := range []string{
		`"scope":["read write"]`, `"scope":7`, `"scope":null`, `"scope":{}`, `"scope":"read\twrite"`, `"scope":"read\nwrite"`,
		`"scope":"read\u00a0write"`, `"scope":"read wr\"ite"`, `"scope":"read wr\\ite"`,
	} {
		s.try(onScope, attempt{members, s.keys.good(t, "ES256", members), core.ReasonBadClaim})
	}
}

// lacksScope fails the test unless a token with these claims is asked for all scopes of
// the route.
func (s *service) lacksScope(members string) {
	s.t.Helper()
	token := s.keys.good(s.t, "ES256", members)
	s.refuse(onScope, refusal{http.StatusForbidden, core.CodeInsufficientScope, core.ReasonMissingScope, token}, authorization(token))
	if e := s.events.Last(s.t); e.PrincipalID != subject || e.Outcome != core.OutcomeForbidden {
		s.t.Errorf("%s: event %s for %q", members, e.Outcome, e.PrincipalID)
	}
}

// scopeArray: the name of the claim is configured, never guessed; its form is the JSON
// type.
func scopeArray(t *testing.T, b bench) {
	s := b.serve(t, jwtauth.WithScopes("scp"))
	for _, members := range []string{`"scp":"read write"`, `"scp":["read","write"]`, `"scp":["write","x","read"]`} {
		s.try(onScope, attempt{members, s.keys.good(t, "ES256", members), ""})
	}
	for _, members := range []string{`"scope":"read write"`, `"scp":["readonly","write"]`, `"scp":["Read","write"]`, `"scp":[]`} {
		s.lacksScope(members)
	}
	for _, members := range []string{`"scp":7`, `"scp":["read write"]`, `"scp":["read",7,"write"]`, `"scp":["","read","write"]`} {
		s.try(onScope, attempt{members, s.keys.good(t, "ES256", members), core.ReasonBadClaim})
	}
}

// tokenRoles: a missing role is 403 without a challenge, since no new token helps
// (invariants 1 and 2).
func tokenRoles(t *testing.T, b bench) {
	s := b.serve(t)
	s.try(onRole, attempt{"the role", s.keys.good(t, "ES256", `"roles":["clerk","auditor"]`), ""})
	for _, members := range []string{
		`"x":1`, `"roles":[]`, `"roles":null`, `"roles":""`, `"roles":"clerk auditor"`, `"roles":"auditor,clerk"`, `"roles":["Auditor"]`, `"roles":["auditors"]`, `"roles":["audit","or"]`, `"scope":"auditor"`, `"role":"auditor"`,
	} {
		token := s.keys.good(t, "ES256", members)
		s.refuse(onRole, refusal{http.StatusForbidden, core.CodeForbidden, core.ReasonMissingRole, token}, authorization(token))
	}
	s.try(onRole, attempt{"one role as a string", s.keys.good(t, "ES256", `"roles":"auditor"`), ""})
	for _, members := range []string{`"roles":7`, `"roles":{"auditor":true}`, `"roles":true`, `"roles":["auditor",7]`, `"roles":["auditor",""]`} {
		s.try(onRole, attempt{members, s.keys.good(t, "ES256", members), core.ReasonBadClaim})
	}
}
