package jwttest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

var verdictSemantics = []testCase{
	{"E01 a good token of every algorithm", everyAlgorithm},
	{"B10 B12 scopes of a token", tokenScopes},
	{"B12 scopes of another claim, in either form", scopeArray},
	{"roles of a token", tokenRoles},
}

// everyAlgorithm: tokens pass with and without a kid, and prove what they say.
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
		t.Errorf("%s: the handler saw nobody", alg)
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

// tokenScopes: RFC 6749 §3.3, RFC 6750 §3: the claim is one string, split at
// spaces into a set, or an array with one scope in each element.
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

// lacksScope fails the test unless a token with those claims is asked for all
// scopes that the route needs.
func (s *service) lacksScope(members string) {
	s.t.Helper()
	token := s.keys.good(s.t, "ES256", members)
	s.refuse(onScope, refusal{http.StatusForbidden, core.CodeInsufficientScope, core.ReasonMissingScope, token}, authorization(token))
	if e := s.events.Last(s.t); e.PrincipalID != subject || e.Outcome != core.OutcomeForbidden {
		s.t.Errorf("%s: event %s for %q", members, e.Outcome, e.PrincipalID)
	}
}

// scopeArray: which claim counts is configured, never guessed; its form is the
// JSON type's.
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

// tokenRoles: a role that is missing is a plain 403, for which no new token
// helps (invariants 1 and 2).
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
