package authtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var stepUpSemantics = []testCase{
	{"B16 a sign-in too weak or too old is 401 and asks for another", stepUpAsks},
	{"B16 a missing auth_time counts as too old", stepUpUnknown},
	{"B16 what else is missing is told as before", stepUpBeside},
	{"B16 a scheme that cannot ask leaves 403", stepUpUnasked},
}

// stepUpDoor is a door that requires a strong sign-in.
func stepUpDoor(t *testing.T, f Framework, rules ...core.Authorizer) (*door, *Recorder) {
	t.Helper()
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, signIns{})})
	return newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: rules}), rec
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

// stepUpBeside: a missing token, scope or role is reported first, and a denial with a
// public code of its own asks for no step-up.
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

// stepUpUnasked: a 401 needs a challenge, and Name has none for a step-up.
func stepUpUnasked(t *testing.T, f Framework) {
	g, _ := guard(t)
	d := newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{rule.ACR("gold")}})
	challenged(t, "Name", d.refuses(http.StatusForbidden, core.CodeStepUp, as("bob")), "")
}
