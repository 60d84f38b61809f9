package authtest

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var cachingSemantics = []testCase{
	{"A20 shared caches only where the guard leaves it to the handler", sharedCaching},
	{"A20 a cookie's success is private", cookieCaching},
}

// sharedCaching: the guard of the last gate or check decides, and an answer stays private
// unless the handler says otherwise.
func sharedCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	shared, err := g.With(core.WithSharedCaching())
	if err != nil {
		t.Fatal(err)
	}
	other, _ := guard(t, core.WithSharedCaching())
	const closed = "private"
	for name, c := range map[string]struct {
		gates []*core.Guard
		check *core.Guard
		want  string
	}{
		"one gate":                          {[]*core.Guard{shared}, nil, sharedLine},
		"behind one that does not share":    {[]*core.Guard{g, shared}, nil, sharedLine},
		"before one that does not share":    {[]*core.Guard{shared, g}, nil, closed},
		"of another guard, behind":          {[]*core.Guard{g, other}, nil, sharedLine},
		"of another guard, before":          {[]*core.Guard{other, g}, nil, closed},
		"a check that does not share":       {[]*core.Guard{shared}, g, closed},
		"a check that shares":               {[]*core.Guard{g}, shared, sharedLine},
		"a check of another guard":          {[]*core.Guard{g}, other, sharedLine},
		"a check that does not, of another": {[]*core.Guard{other}, g, closed},
	} {
		var gates []Gate
		for _, one := range c.gates {
			gates = append(gates, Gate{Kind: "Authenticate", Guard: one})
		}
		cachedAs(t, name, answerWith(t, f, []string{sharedLine}, c.check, gates...), c.want)
	}
	if a := newDoor(t, f, Gate{Kind: "Authorize", Guard: shared}).admits("alice", as("alice")); a.Header.Get("Cache-Control") != closed {
		t.Errorf("Cache-Control %q where the handler sets none", a.Header.Values("Cache-Control"))
	}
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
