package authtest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
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

// checkKeepsPrincipal checks that behind a gate, a check of another guard or variant does
// not change whom the request is from, and can be repeated.
func checkKeepsPrincipal(t *testing.T, f Framework) {
	var asked int
	user, _ := guard(t)
	app, _ := guardOf(t, []core.Authenticator{asking{sessions{}, &asked}})
	both, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	variant := must.Have(both.With(core.WithSchemes("Name")))(t)
	for _, tt := range []struct {
		gate    Gate
		checks  *core.Guard
		headers []string
		want    string
	}{
		{Gate{Kind: "Authenticate", Guard: user}, app, []string{as("alice"), "Cookie: session=carol"}, "alice"},
		{Gate{Kind: "Optional", Guard: user}, app, []string{"Cookie: session=carol"}, "anonymous"},
		{Gate{Kind: "Optional", Guard: variant}, both, []string{"Cookie: session=carol"}, "anonymous"},
	} {
		d := newDoorIn(t, f, App{}, func(x Exchange) error {
			for range 2 {
				if err := x.Check(tt.checks, only("carol")); err != nil {
					return err
				}
			}
			if p, _ := core.PrincipalFrom(x.Context()); p != x.Principal() {
				t.Error("context and adapter give different principals")
			}
			return nil
		}, tt.gate)
		if a := d.get(tt.headers...); a.Status != http.StatusOK || a.Body != handled+tt.want || a.vary() != "authorization cookie" {
			t.Errorf("%q: %d %q, want %s; Vary %q", tt.headers, a.Status, a.Body, tt.want, a.vary())
		}
	}
	if asked != 4 {
		t.Errorf("authenticated %d times in four checks", asked)
	}
}
