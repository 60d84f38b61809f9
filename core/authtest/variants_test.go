package authtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
)

var variantSemantics = []testCase{
	{"invariant 1 gate one of a variant counts for another", sharedAuthContext},
	{"A15 a route may accept some of the schemes", acceptedSchemes},
	{"a variant answers in its own way", variantResponder},
	{"A19 a script's request opens no password dialog", scriptedRequests},
	{"invariant 14 a variant that cannot work is none", brokenVariants},
}

// schemes returns the schemes of an answer's challenges, in order.
func (a Answer) schemes(t testing.TB) string {
	t.Helper()
	cs, err := a.challenges()
	if err != nil {
		t.Error(err)
	}
	var names []string
	for _, c := range cs {
		names = append(names, c.Scheme())
	}
	return strings.Join(names, " ")
}

func acceptedSchemes(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	for _, kind := range kinds {
		if kind == "Optional" {
			continue // whoever is unknown passes
		}
		d := newDoor(t, f, Gate{Kind: kind, Guard: variant(t, g, core.WithSchemes("name"), core.WithAuthorizer(only("alice"))), Rules: []core.Authorizer{only("alice")}})
		d.admits("alice", as("alice"))
		for _, header := range []string{"Cookie: session=alice", "Cookie: session=bad", "X-None: 1"} {
			a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header)
			if got := a.schemes(t); got != "Name" || a.vary() != "authorization" {
				t.Errorf("%s, %s: challenges %q, Vary %q", kind, header, got, a.vary())
			}
		}
	}
}

func variantResponder(t *testing.T, f Framework) {
	g, _ := guard(t)
	page := core.ResponderFunc(func(_ core.Request, d *core.Denial) core.Response {
		return core.Response{Status: d.Kind.Status(), Fields: []core.Field{{Name: "Content-Type", Value: "text/html"}}, Body: []byte("page")}
	})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: variant(t, g, core.WithResponder(page))})
	if a := d.get(); a.Status != http.StatusUnauthorized || a.Body != "page" || a.schemes(t) != "Name" {
		t.Errorf("%+v", a)
	}
	plain := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	plain.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
}

func scriptedRequests(t *testing.T, f Framework) {
	b, err := basic.New("app", passwords)
	if err != nil {
		t.Fatal(err)
	}
	d, err := digest.New("app", digestUsers{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		schemes        []core.Authenticator
		prompt, script string
	}{
		{[]core.Authenticator{b}, "Basic", "xBasic"},
		{[]core.Authenticator{d}, "Digest", "xDigest"},
		{[]core.Authenticator{Names{}, b, sessions{}}, "Name Basic Session", "Name xBasic Session"},
	} {
		g, _ := guardOf(t, tt.schemes, core.WithoutPrompts())
		d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
		for header, want := range map[string]string{
			"X-None: 1":                   tt.prompt,
			"Sec-Fetch-Mode: navigate":    tt.prompt,
			"Sec-Fetch-Mode: cors":        tt.script,
			"Sec-Fetch-Mode: same-origin": tt.script,
			"Sec-Fetch-Mode: no-cors":     tt.script,
			"Sec-Fetch-Mode: websocket":   tt.script,
		} {
			a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header)
			if got := a.schemes(t); got != want {
				t.Errorf("%s: challenges %q, want %q", header, got, want)
			}
			if !slices.Contains(strings.Fields(a.vary()), "sec-fetch-mode") {
				t.Errorf("%s: Vary %q", header, a.vary())
			}
		}
	}
}

func brokenVariants(t *testing.T, _ Framework) {
	g, _ := guard(t)
	for name, opts := range map[string][]core.Option{
		"no scheme":       {core.WithSchemes()},
		"another scheme":  {core.WithSchemes("Bearer")},
		"nil":             {nil},
		"two responders":  {core.WithResponder(plainText), core.WithResponder(plainText)},
		"no origin":       {core.WithTrustedOrigins("example.com")},
		"origin and path": {core.WithTrustedOrigins("https://example.com/")},
		"capitals":        {core.WithTrustedOrigins("https://Example.com")},
		"default port":    {core.WithTrustedOrigins("https://example.com:443")},
		"null":            {core.WithTrustedOrigins("null")},
	} {
		if v, err := g.With(opts...); err == nil || v != nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := (&core.Guard{}).With(); err == nil {
		t.Error("a variant of an empty guard")
	}
}

var plainText = core.ResponderFunc(func(_ core.Request, d *core.Denial) core.Response {
	return core.Response{Status: d.Kind.Status()}
})

// sharedAuthContext: a principal stays the one that gate one found; a gate that does not
// accept its scheme authenticates anew.
func sharedAuthContext(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g},
		Gate{Kind: "Require", Guard: variant(t, g, core.WithSchemes("Session")), Rules: []core.Authorizer{only("alice", "carol")}})
	d.admits("alice", "Cookie: session=alice")
	a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, as("alice"))
	if got := a.schemes(t); got != "Session" {
		t.Errorf("challenges %q", got)
	}
	d.admits("carol", as("alice"), "Cookie: session=carol")

	d = newDoor(t, f, Gate{Kind: "Optional", Guard: variant(t, g, core.WithSchemes("Session"))}, Gate{Kind: "Authenticate", Guard: g})
	d.admits("alice", as("alice"))
	d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	if e := rec.Last(t); e.Reason != core.ReasonNoCredentials {
		t.Errorf("event %+v", e)
	}
}
