package authtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var gateSemantics = []testCase{
	{"A04 no credentials can help against a fact", facts},
	{"A05 a policy refuses and admits anonymous requests", anonymousPolicy},
	{"A02 the challenge is there after bad credentials too", challengedAgain},
}

// facts: a rule that refuses by circumstances (region, state of the account) is 403 without
// a challenge (RFC 9110 §15.5.4).
func facts(t *testing.T, f Framework) {
	suspended := rule.Account(func(_ context.Context, p *core.Principal) (rule.AccountState, error) {
		if p.ID() == "sam" {
			return rule.AccountSuspended, nil
		}
		return rule.AccountActive, nil
	})
	region := rule.Public("region_closed", "Not offered where you are.", rule.Claim("region", "eu"))
	g, rec := guard(t)
	for _, c := range []struct {
		rule   core.Authorizer
		name   string
		code   string
		reason core.Reason
	}{
		{suspended, "sam", rule.CodeAccountSuspended, core.ReasonAccountState},
		{region, "bob", "region_closed", core.ReasonMissingEntitlement},
		{rule.Not(rule.Role("contractor")), "bob contractor", core.CodeForbidden, core.ReasonDenied},
	} {
		d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{c.rule}})
		a := d.refuses(http.StatusForbidden, c.code, as(c.name))
		if v := a.Header.Values("WWW-Authenticate"); len(v) > 0 {
			t.Errorf("%s: challenge %q on 403", c.name, v)
		}
		if e := rec.Last(t); e.Reason != c.reason || e.Outcome != core.OutcomeForbidden {
			t.Errorf("%s: event %s %s", c.name, e.Outcome, e.Reason)
		}
	}
}

// anonymousPolicy: an anonymous request that a policy refuses is 401, since signing in may
// help (RFC 9110 §15.5.2).
func anonymousPolicy(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(guests{only("alice")}))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	d.admits("anonymous")
	d.admits("alice", as("alice"))
	d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"))
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, as("bad"))
	refused(t, "POST", Send(t, d.addr, Request("POST", "/door", "Content-Length: 0")), http.StatusUnauthorized, core.CodeAuthenticationRequired)

	required := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{guests{only("alice")}}})
	required.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
}

// challengedAgain: a 401 has the challenges of all schemes, whichever one failed.
func challengedAgain(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, header := range []string{"Accept: */*", as("bad"), "Cookie: session=bad", "Authorization: Other x"} {
		a := d.get(header)
		cs, err := a.challenges()
		if err != nil {
			t.Errorf("%s: %v", header, err)
		}
		if a.Status != http.StatusUnauthorized || len(cs) != 2 || cs[0].Scheme() != "Name" || cs[1].Scheme() != "Session" {
			t.Errorf("%s: %d %v", header, a.Status, cs)
		}
	}
}
