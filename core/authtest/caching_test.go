package authtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var cachingSemantics = []testCase{
	{"A20 a cookie's success is private", cookieCaching},
}

// cookieCaching: the same for credentials that caches do not know.
func cookieCaching(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}}, core.WithAuthorizer(only("alice")))
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g}, Gate{Kind: "Authorize", Guard: g})
	for header, want := range map[string]string{
		"Cookie: session=alice": "private",
		as("alice"):             "private",
		as("bob"):               "no-store",
		"Cookie: session=bob":   "no-store",
		"Accept: */*":           "no-store",
	} {
		a := d.get(header)
		if got := strings.Join(a.Header.Values("Cache-Control"), "|"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", header, got, want)
		}
		if got := a.vary(); got != "authorization cookie" {
			t.Errorf("%s: Vary %q", header, got)
		}
	}
	strict := &door{t: t}
	route := strict.route(Gate{Kind: "Authenticate", Guard: g})
	route.Handler = func(x Exchange) error {
		x.SetHeader("Cache-Control", "no-store")
		return strict.handle(x)
	}
	strict.addr = f.Start(t, App{Routes: []Route{route}})
	for header, want := range map[string]string{"Cookie: session=alice": "no-store", as("alice"): "no-store"} {
		a := strict.admits("alice", header)
		if got := a.Header.Values("Cache-Control"); !slices.Equal(got, []string{want}) {
			t.Errorf("the handler's no-store became %q", got)
		}
	}
}
