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
	{"B16 every gate and check asks", stepUpGates},
}

// signIns verifies tokens "class", "class.seconds" and "class.seconds.scope" for bob, who
// signed in that many seconds ago with that class; "none" means no class.
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

// signInAgain returns the challenge that requests another sign-in.
func signInAgain(params string) string {
	return `Bearer realm="r", error="insufficient_user_authentication", error_description="A stronger or more recent authentication is needed", ` + params
}

// stepUpGates checks that every gate that asks the rule gives the same answer.
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
	d := newDoorIn(t, f, App{}, func(x Exchange) error { return x.Check(g, old) }, Gate{Kind: "Authenticate", Guard: g})
	challenged(t, "check", d.refuses(http.StatusUnauthorized, core.CodeStepUp, "Authorization: Bearer none.999"), signInAgain(`max_age="60"`))
}
