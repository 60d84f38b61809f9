package dpoptest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop/internal/prove"
)

var schemeCases = []testCase{
	{"B21 no credentials, no error code", plain},
	{"B23 Bearer and DPoP together", together},
	{"B18 a bound token is no Bearer token, and the other way round", downgraded},
	{"B23 an error stands in the challenge of its own scheme", ownChallenge},
	{"B16 B10 what a bound token lacks is asked for by DPoP", lacking},
	{"a store of proofs that fails is 503", storeDown},
	{"answers vary with the proof", varies},
}

// plain: RFC 9449 §7.2, figure 17.
func plain(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	want := refusal{http.StatusUnauthorized, core.CodeAuthenticationRequired, core.ReasonNoCredentials, []string{bearerPlain, dpopPlain}}
	a := s.refuses("nothing", onDoor, want)
	if got := a.Header.Values("DPoP-Nonce"); len(got) != 0 {
		t.Errorf("unexpected nonces %q", got)
	}
	s.refuses("a proof alone", onDoor, want, "DPoP: "+s.client.Sign(t, s.proof(onDoor, "x")))
	s.refuses("another scheme", onDoor, want, "Authorization: Basic YTpi")
}

// together: RFC 9449 §7.2, figure 19.
func together(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	want := refusal{http.StatusBadRequest, core.CodeInvalidRequest, core.ReasonAmbiguous, []string{
		`Bearer realm="api", error="invalid_request"`, `DPoP realm="api", error="invalid_request", algs="ES256 EdDSA"`,
	}}
	good := s.sent(onDoor, token)
	s.refuses("Bearer and DPoP", onDoor, want, append([]string{"Authorization: Bearer " + token}, good...)...)
	s.refuses("DPoP and Bearer", onDoor, want, append(good, "Authorization: Bearer "+token)...)
	s.refuses("DPoP twice", onGuest, want, append(good, good[0])...)
	s.admits("one of them", "GET", onDoor, "DPoP", good...) // and its proof was not used up
}

// invalidToken is the refusal of a token by one of the schemes.
func invalidToken(scheme string, reason core.Reason, description string) refusal {
	r := refusal{http.StatusUnauthorized, core.CodeInvalidToken, reason, []string{bearerPlain, dpopPlain}}
	params := `, error="invalid_token", error_description="` + description + `"`
	if scheme == "Bearer" {
		r.challenges[0] = bearerPlain + params
	} else {
		r.challenges[1] = `DPoP realm="api"` + params + `, algs="ES256 EdDSA"`
	}
	return r
}

const badClaim = "The access token lacks a claim or holds one that is not valid"

// downgraded: RFC 9449 §7.2.
func downgraded(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	bound, free := s.bound(), s.token("", nil)
	for _, path := range []string{onDoor, onGuest} {
		s.admits("a bound token by DPoP", "GET", path, "DPoP", s.sent(path, bound)...)
		s.admits("a free token by Bearer", "GET", path, "Bearer", "Authorization: Bearer "+free)
		s.refuses("a bound token by Bearer", path, invalidToken("Bearer", core.ReasonBadClaim, badClaim), "Authorization: Bearer "+bound)
		with := append([]string{"Authorization: Bearer " + bound}, s.sent(path, bound)[1])
		s.refuses("a bound token by Bearer with a proof", path, invalidToken("Bearer", core.ReasonBadClaim, badClaim), with...)
		s.refuses("a free token by DPoP", path, invalidToken("DPoP", core.ReasonBadClaim, badClaim), s.sent(path, free)...)
	}
}

// ownChallenge: RFC 9449 §7.2, figure 18.
func ownChallenge(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	expired := s.token(s.client.Thumbprint(), prove.Members{"exp": s.time.Load() - 60})
	s.refuses("an expired token", onDoor, invalidToken("DPoP", core.ReasonExpired, "The access token expired"), s.sent(onDoor, expired)...)
	s.refuses("an expired token by Bearer", onDoor, invalidToken("Bearer", core.ReasonExpired, "The access token expired"), "Authorization: Bearer "+expired)
	for _, credentials := range []string{"DPoP", "DPoP a b", "dpop ="} {
		s.refuses(credentials, onDoor, invalidToken("DPoP", core.ReasonMalformed, "The access token is malformed"), "Authorization: "+credentials)
	}
	token := s.bound()
	s.admits("the scheme in lower case", "GET", onDoor, "DPoP", strings.Replace(s.sent(onDoor, token)[0], "DPoP", "dpop", 1), s.sent(onDoor, token)[1])
}

// lacking: RFC 6750 §3.1 and RFC 9470 §3, through RFC 9449 §7.1. A token that either
// scheme accepts is challenged for by both.
func lacking(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	token := s.bound()
	const scope, gold = `, error="insufficient_scope", scope="read"`,
		`, error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed", acr_values="gold"`
	s.refuses("no scope", onScope, refusal{http.StatusForbidden, core.CodeInsufficientScope, core.ReasonMissingScope, []string{
		bearerPlain + scope, `DPoP realm="api"` + scope + `, algs="ES256 EdDSA"`,
	}}, s.sent(onScope, token)...)
	s.refuses("no class", onGold, refusal{http.StatusUnauthorized, core.CodeStepUp, core.ReasonWeakAuthentication, []string{
		bearerPlain + gold, `DPoP realm="api"` + gold + `, algs="ES256 EdDSA"`,
	}}, s.sent(onGold, token)...)
	token = s.token(s.client.Thumbprint(), prove.Members{"scope": "read", "acr": "gold"})
	s.admits("scope", "GET", onScope, "DPoP", s.sent(onScope, token)...)
	s.admits("class", "GET", onGold, "DPoP", s.sent(onGold, token)...)
}

// down is a replay store that fails.
type down struct{}

func (down) Remember(context.Context, [32]byte, [32]byte, time.Duration) (bool, error) {
	return false, errors.New("store is down")
}

// storeDown: an outage logs no one out and lets no one in (invariant 4). A key that has
// used up its share is not an outage.
func storeDown(t *testing.T, f authtest.Framework) {
	s := serve(t, f, dpop.WithReplays(down{}))
	a := s.refuses("a good proof", onDoor, refusal{http.StatusServiceUnavailable, core.CodeUnavailable, core.ReasonUnavailable, nil}, s.sent(onDoor, s.bound())...)
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	memory, err := dpop.NewReplayMemory(1)
	if err != nil {
		t.Fatal(err)
	}
	s = serve(t, f, dpop.WithReplays(memory))
	s.admits("the first", "GET", onDoor, "DPoP", s.sent(onDoor, s.bound())...)
	s.refuses("more than the share of a key", onDoor, refusal{http.StatusTooManyRequests, core.CodeTooManyAttempts, core.ReasonTooManyAttempts, nil}, s.sent(onDoor, s.bound())...)
}

// varies: no cached answer is used for another request.
func varies(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	a := s.admits("a good proof", "GET", onDoor, "DPoP", s.sent(onDoor, s.bound())...)
	if got := strings.ToLower(strings.Join(a.Header.Values("Vary"), ", ")); !strings.Contains(got, "authorization") || !strings.Contains(got, "dpop") {
		t.Errorf("Vary %q", got)
	}
}
