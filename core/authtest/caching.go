package authtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var cachingCases = []testCase{
	{"A20 nothing public is added to a success", successCaching},
	{"A20 a cookie's success is private", cookieCaching},
	{"A20 and so is that of a check with no gate before it", checkCaching},
	{"invariant 7 A21 denials are not stored", denialCaching},
	{"invariant 7 Vary is merged", varyMerged},
}

// vary is the members of a's Vary, sorted, in lower case.
func (a Answer) vary() string {
	var all []string
	for _, line := range a.Header.Values("Vary") {
		for member := range strings.SplitSeq(line, ",") {
			all = append(all, strings.ToLower(strings.TrimSpace(member)))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// successCaching: shared caches keep out of answers to Authorization unless a
// directive lets them in (RFC 9111 §3.5); the gate adds none.
func successCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	for _, own := range []string{"", "max-age=60", "private, max-age=5"} {
		for _, kind := range kinds {
			d := &door{t: t}
			route := d.route(Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
			route.Handler = func(x Exchange) error {
				if own != "" {
					x.SetHeader("Cache-Control", own)
				}
				return d.handle(x)
			}
			d.addr = f.Start(t, App{Routes: []Route{route}})
			a := d.admits("alice", as("alice"))
			if got := strings.Join(a.Header.Values("Cache-Control"), "|"); got != own {
				t.Errorf("%s: Cache-Control %q, the handler's is %q", kind, got, own)
			}
			if got := a.vary(); got != "authorization" {
				t.Errorf("%s: Vary %q", kind, got)
			}
		}
	}
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	if a := d.admits("anonymous"); a.vary() != "authorization" || len(a.Header.Values("Cache-Control")) != 0 {
		t.Errorf("anonymous: %v", a.Header)
	}
}

// cookieCaching: nothing but Authorization keeps shared caches out.
func cookieCaching(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}}, core.WithAuthorizer(only("alice")))
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g}, Gate{Kind: "Authorize", Guard: g})
	for header, want := range map[string]string{
		"Cookie: session=alice": "private",
		as("alice"):             "",
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
	a := strict.admits("alice", "Cookie: session=alice")
	if got := a.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
		t.Errorf("the handler's no-store became %q", got)
	}
}

// checkCaching: a check that runs gate one itself has its fields to add, too.
func checkCaching(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	addr := f.Start(t, App{Routes: []Route{{Pattern: "/door", Methods: []string{"GET"}, Handler: func(x Exchange) error {
		if err := x.Check(g, only("alice")); err != nil {
			return err
		}
		return ok(x)
	}}}})
	a := Send(t, addr, Request("GET", "/door", "Cookie: session=alice"))
	if got := a.Header.Values("Cache-Control"); a.Status != http.StatusOK || !slices.Equal(got, []string{"private"}) || a.vary() != "authorization cookie" {
		t.Errorf("%d, Cache-Control %q, Vary %q", a.Status, got, a.vary())
	}
}

// denialCaching: no-store on every kind, whatever middleware in front says.
func denialCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	for _, front := range []string{"", "public, max-age=600"} {
		addr := f.Start(t, App{
			Before: []Handler{func(x Exchange) error {
				if front != "" {
					x.SetHeader("Cache-Control", front)
				}
				return nil
			}},
			Routes: []Route{{
				Group: "/api", Pattern: "/door/:id", Methods: []string{"GET"},
				Gates: []Gate{{Kind: "Authorize", Guard: g}}, Handler: ok,
			}},
		})
		for _, c := range denied {
			a := Send(t, addr, Request("GET", c.target, c.header))
			refused(t, c.header, a, c.status, c.code) // no-store is among what it looks at
		}
		a := Send(t, addr, Request("GET", "/api/door/1", as("alice")))
		if got := a.Header.Get("Cache-Control"); got != front {
			t.Errorf("Cache-Control %q in front became %q on success", front, got)
		}
	}
}

// varyMerged: what others have set stays, and no member comes twice.
func varyMerged(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}}, core.WithAuthorizer(only("alice")))
	for _, c := range []struct {
		front []string
		want  string
	}{
		{nil, "authorization cookie"},
		{[]string{"Origin"}, "authorization cookie origin"},
		{[]string{"Origin, Accept-Encoding"}, "accept-encoding authorization cookie origin"},
		{[]string{"Origin", "Accept-Encoding"}, "accept-encoding authorization cookie origin"},
		{[]string{"Cookie"}, "authorization cookie"},
		{[]string{"origin,cookie"}, "authorization cookie origin"},
		{[]string{"AUTHORIZATION, Cookie"}, "authorization cookie"},
		{[]string{"X-Cookie, Authorization-Extra"}, "authorization authorization-extra cookie x-cookie"},
		{[]string{"*"}, "*"},
	} {
		d := &door{t: t}
		d.addr = f.Start(t, App{
			Before: []Handler{func(x Exchange) error {
				for _, line := range c.front {
					x.AddHeader("Vary", line)
				}
				return nil
			}},
			Routes: []Route{d.route(Gate{Kind: "Authenticate", Guard: g}, Gate{Kind: "Authorize", Guard: g})},
		})
		for header, status := range map[string]int{
			"Accept: */*": http.StatusUnauthorized, as("bob"): http.StatusForbidden,
			as("alice"): http.StatusOK, as("down"): http.StatusServiceUnavailable,
		} {
			if a := d.get(header); a.Status != status || a.vary() != c.want {
				t.Errorf("Vary %q in front, %s: %d, Vary %q, want %q", c.front, header, a.Status, a.vary(), c.want)
			}
		}
	}
}
