package authtest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var stepUpCases = []testCase{
	{"B16 a sign-in too weak or too old is 401 and asks for another", stepUpAsks},
	{"B16 a missing auth_time counts as too old", stepUpUnknown},
	{"B16 what else is missing is told as before", stepUpBeside},
	{"B16 every gate and check asks", stepUpGates},
	{"B16 a scheme that cannot ask leaves 403", stepUpUnasked},
}

// signIns verifies tokens "class", "class.seconds" and "class.seconds.scope":
// bob, who signed in that many seconds ago in that class; "none" is no class.
type signIns struct{}

func (signIns) VerifyToken(_ context.Context, token string) (*core.Principal, error) {
	parts := strings.Split(token, ".")
	info := core.PrincipalInfo{ID: "bob"}
	if parts[0] != "none" {
		info.Claims = map[string]any{"acr": parts[0]}
	}
	if len(parts) > 1 {
		ago, err := time.ParseDuration(parts[1] + "s")
		if err != nil {
			return nil, err
		}
		info.AuthTime = time.Now().Add(-ago)
	}
	if len(parts) > 2 {
		info.Scopes = parts[2:]
	}
	return core.NewPrincipal(info)
}

// stepUpDoor is a door behind which one must have signed in well.
func stepUpDoor(t *testing.T, f Framework, rules ...core.Authorizer) (*door, *Recorder) {
	t.Helper()
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, signIns{})})
	return newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: rules}), rec
}

// signInAgain is the challenge that asks for another sign-in.
func signInAgain(params string) string {
	return `Bearer realm="r", error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed", ` + params
}

// stepUpAsks: RFC 9470 §3.
func stepUpAsks(t *testing.T, f Framework) {
	acr, age := rule.ACR("gold", "silver"), rule.MaxAge(10*time.Minute)
	for _, c := range []struct {
		rule              core.Authorizer
		good, bad, params string
	}{
		{acr, "gold", "bronze", `acr_values="gold silver"`},
		{acr, "silver.99999", "Gold.0", `acr_values="gold silver"`},
		{age, "none.0", "none.900", `max_age="600"`},
		{age, "bronze.300", "gold.601", `max_age="600"`},
		{rule.StepUp(10*time.Minute, "gold"), "gold.1", "gold.900", `acr_values="gold", max_age="600"`},
		{rule.StepUp(10*time.Minute, "gold"), "gold.300", "silver.1", `acr_values="gold", max_age="600"`},
		{rule.All(acr, age), "gold.1", "gold.900", `max_age="600"`},
		{rule.Any(rule.Role("admin"), age), "none.1", "none.900", `max_age="600"`},
	} {
		d, rec := stepUpDoor(t, f, c.rule)
		d.admits("bob", "Authorization: Bearer "+c.good)
		a := d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer "+c.bad)
		challenged(t, c.bad, a, signInAgain(c.params))
		e := rec.Last(t)
		if e.Reason != core.ReasonWeakAuthentication || e.Outcome != core.OutcomeUnauthenticated || e.PrincipalID != "bob" {
			t.Errorf("%v: event %s %s for %q", c.rule, e.Outcome, e.Reason, e.PrincipalID)
		}
	}
}

// stepUpUnknown: RFC 9470 §6.
func stepUpUnknown(t *testing.T, f Framework) {
	d, _ := stepUpDoor(t, f, rule.MaxAge(time.Hour))
	for _, token := range []string{"gold", "none"} {
		challenged(t, token, d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer "+token), signInAgain(`max_age="3600"`))
	}
	d, _ = stepUpDoor(t, f, rule.ACR("gold"))
	challenged(t, "no class", d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer none.1"), signInAgain(`acr_values="gold"`))
}

// stepUpBeside: whoever has no token, or lacks a scope or role first, is told
// that; a public code of its own asks for nothing.
func stepUpBeside(t *testing.T, f Framework) {
	d, _ := stepUpDoor(t, f, rule.Scope("pay"), rule.MaxAge(time.Minute))
	challenged(t, "no token", d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired), `Bearer realm="r"`)
	challenged(t, "no scope", d.refuses(http.StatusForbidden, core.CodeInsufficientScope, "Authorization: Bearer none.999"),
		`Bearer realm="r", error="insufficient_scope", scope="pay"`)
	challenged(t, "too old", d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer none.999.pay"), signInAgain(`max_age="60"`))
	d.admits("bob", "Authorization: Bearer none.0.pay")

	d, _ = stepUpDoor(t, f, rule.Role("admin"), rule.MaxAge(time.Minute))
	challenged(t, "no role", d.refuses(http.StatusForbidden, core.CodeForbidden, "Authorization: Bearer none.999"), "")
	d, _ = stepUpDoor(t, f, rule.Public("key_required", "Use your security key.", rule.ACR("gold")))
	challenged(t, "a code of its own", d.refuses(http.StatusForbidden, "key_required", "Authorization: Bearer none.999"), "")
}

// stepUpGates: whichever gate asks the rule.
func stepUpGates(t *testing.T, f Framework) {
	old := rule.MaxAge(time.Minute)
	g, _ := guardOf(t, []core.Authenticator{bearerOn(t, signIns{})}, core.WithAuthorizer(old))
	for _, gates := range [][]Gate{
		{{Kind: "Authorize", Guard: g}},
		{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: g, Rules: []core.Authorizer{old}}},
		{{Kind: "Optional", Guard: g}, {Kind: "Authorize", Guard: g}},
	} {
		d := newDoor(t, f, gates...)
		challenged(t, gates[0].Kind, d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer none.999"), signInAgain(`max_age="60"`))
		d.admits("bob", "Authorization: Bearer none.0")
	}
	addr := f.Start(t, App{Routes: []Route{{
		Methods: []string{"GET"}, Pattern: "/door", Gates: []Gate{{Kind: "Authenticate", Guard: g}},
		Handler: func(x Exchange) error {
			if err := x.Check(g, old); err != nil {
				return err
			}
			return ok(x)
		},
	}}})
	a := Send(t, addr, Request("GET", "/door", "Authorization: Bearer none.999"))
	refused(t, "check", a, http.StatusUnauthorized, core.CodeStepUp)
	challenged(t, "check", a, signInAgain(`max_age="60"`))
}

// stepUpUnasked: a 401 needs a challenge, and Name has none for this.
func stepUpUnasked(t *testing.T, f Framework) {
	g, _ := guard(t)
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.ACR("gold")}})
	challenged(t, "Name", d.refuses(http.StatusForbidden, core.CodeStepUp, as("bob")), "")
}
