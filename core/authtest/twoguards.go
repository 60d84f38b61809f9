package authtest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// asking is a scheme that counts how often it is asked.
type asking struct {
	core.Authenticator
	asked *int
}

func (c asking) Authenticate(ctx context.Context, r core.Request) (*core.Principal, error) {
	*c.asked++
	return c.Authenticator.Authenticate(ctx, r)
}

// twoPrincipals checks that behind the gates of two guards, such as one for the calling app
// and one for its user, both principals are available. Each guard authenticates once,
// whatever the order of the gates, and a rule is given the principal of its own guard,
// which then becomes that of the request.
func twoPrincipals(t *testing.T, f Framework) {
	for _, order := range []string{"app user", "user app", "app user app", "user app user", "app user user app"} {
		var apps, users int
		app, _ := guardOf(t, []core.Authenticator{asking{informer{}, &apps}})
		user, _ := guardOf(t, []core.Authenticator{asking{sessions{}, &users}})
		guards := map[string]*core.Guard{"app": app, "user": user}
		rules := map[string]core.Authorizer{"app": only("alice"), "user": only("carol")}
		names := strings.Fields(order)
		var gates []Gate
		for _, name := range names {
			gates = append(gates, Gate{Kind: "Require", Guard: guards[name], Rules: []core.Authorizer{rules[name]}})
		}
		seen := ""
		d := newDoorIn(t, f, App{}, func(x Exchange) error {
			for _, name := range []string{"app", "user"} {
				if p, ok := guards[name].PrincipalFrom(x.Context()); ok {
					seen += name + "=" + p.ID() + " "
				}
			}
			seen += "last=" + x.Principal().ID()
			return x.Check(app, only("alice"))
		}, gates...)
		a := d.get(as("alice"), "Cookie: session=carol")
		want := "app=alice user=carol last=" + map[string]string{"app": "alice", "user": "carol"}[names[len(names)-1]]
		if a.Status != http.StatusOK || seen != want || apps != 1 || users != 1 {
			t.Errorf("%s: %d, saw %q, want %q; asked %d and %d times", order, a.Status, seen, want, apps, users)
		}
		if a.Header.Get("Authentication-Info") == "" || a.vary() != "authorization cookie" {
			t.Errorf("%s: the answer has not what both gates add: %v", order, a.Header)
		}
		for status, lines := range map[int][]string{
			401: {as("alice")}, 403: {as("bob"), "Cookie: session=carol"},
		} {
			seen = ""
			if a := d.get(lines...); a.Status != status || seen != "" {
				t.Errorf("%s as %q: %d, saw %q", order, lines, a.Status, seen)
			}
		}
		other, _ := guard(t)
		if p, ok := other.PrincipalFrom(t.Context()); ok || p != nil {
			t.Error("a principal of no request")
		}
	}
}
