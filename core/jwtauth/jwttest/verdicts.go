package jwttest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

var verdictCases = []testCase{
	{"invariant 3 kinds of bad tokens are told apart", toldApart},
	{"E27 a refused token proves nobody at any gate", provesNobody},
	{"B03 each code has its status", codes},
}

// badTokens are one token for each reason. Their claims are those of a good
// one as far as the reason allows, and hold a secret.
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

// toldApart: the event and the challenge tell which, the body does not.
func toldApart(t *testing.T, b bench) {
	s := b.serve(t)
	bad := badTokens(t, b.keys)
	const bySetting = 2 // what is refused only where it was configured
	if len(bad)+bySetting != len(descriptions) {
		t.Fatalf("%d kinds of bad tokens, %d descriptions", len(bad), len(descriptions))
	}
	s.try(onPublic, bad...)
	s.try(onSecret,
		attempt{"expired", s.keys.good(t, "HS256", `"exp":1700000000`), core.ReasonExpired},
		attempt{"forged", signed(t, "HS256", s.keys.foreign["HS256"], unsigned(header("HS256"), claims())), core.ReasonBadSignature})
	s.refuse(onPublic, refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, ""})
}

// provesNobody: CVE-2024-51744. Optional does not take a bad token for none.
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

// refuse asks for path with header lines and fails the test unless the answer
// is that refusal.
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
