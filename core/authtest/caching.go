package authtest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var cachingCases = []testCase{
	{"A20 a success is private whatever the handler says", successCaching},
	{"A20 and however it writes", anyWriterCaching},
	{"A20 and so is that of a check with no gate before it", checkCaching},
	{"A20 shared caches only where the guard leaves it to the handler", sharedCaching},
	{"invariant 7 A21 denials are not stored", denialCaching},
	{"invariant 7 A21 nor if a responder says that caches may", responderCaching},
	{"invariant 7 Vary is merged", varyMerged},
}

// vary returns the members of a's Vary, sorted, in lower case.
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

// targetedFields address some caches in front of an application, of which the last is one
// that nobody here knows.
var targetedFields = []string{"CDN-Cache-Control", "Edge-Control", "Surrogate-Control", "X-Accel-Expires", "X-Some-Cache-Control"}

// ownCaching are cache directives of handlers, with those that must be sent.
var ownCaching = []struct{ own, sent []string }{
	{nil, []string{"private"}},
	{[]string{"max-age=60"}, []string{"private, max-age=60"}},
	{[]string{"public, max-age=600"}, []string{"private, max-age=600"}},
	{[]string{"PUBLIC", "S-MaxAge=600", "immutable"}, []string{"private, immutable"}},
	{[]string{`max-age=5, private="X-User, X-Role", must-revalidate`}, []string{"private, max-age=5, must-revalidate"}},
	{[]string{"no-cache"}, []string{"private, no-cache"}},
	{[]string{"private, max-age=5"}, []string{"private, max-age=5"}},
	{[]string{"no-store"}, []string{"no-store"}},
}

// successCaching checks that answers for a principal never enter a shared cache, whatever
// the handler's directives, unless the guard leaves that to the handler. RFC 9111 §3.5
// already excludes answers to requests with Authorization, but not all caches implement it.
func successCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	for _, c := range ownCaching {
		for _, kind := range kinds {
			a := answerWith(t, f, c.own, nil, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
			cachedAs(t, kind+" "+strings.Join(c.own, " | "), a, c.sent...)
		}
	}
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	if a := d.admits("anonymous"); a.vary() != "authorization" || len(a.Header.Values("Cache-Control")) != 0 {
		t.Errorf("anonymous: %v", a.Header)
	}
}

// anyWriterCaching checks the same for streams, files, flushed parts, answers without a
// body, and headers set by a handler that then fails.
func anyWriterCaching(t *testing.T, f Framework) {
	g, _ := guard(t)
	writers := maps.Clone(f.Writers)
	writers["error"] = func(Exchange) error { return errors.New("failed") }
	var routes []Route
	for name, write := range writers {
		if takesOver(name) { // sends no header of the response
			continue
		}
		for _, own := range []string{"early", "none"} {
			routes = append(routes, Route{
				Pattern: "/" + name + "/" + own, Methods: []string{"GET"},
				Gates: []Gate{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}},
				Handler: func(x Exchange) error {
					if own == "early" {
						x.SetHeader("Cache-Control", "public, max-age=600")
						x.SetHeader("Vary", "Origin")
					}
					return write(x)
				},
			})
		}
	}
	addr := f.Start(t, App{Routes: routes})
	for _, route := range routes {
		a := Send(t, addr, Request("GET", route.Pattern, as("alice")))
		got := strings.Join(a.Header.Values("Cache-Control"), "|")
		if !strings.HasPrefix(got, "private") || strings.Contains(got, "public") || !strings.Contains(a.vary(), "authorization") {
			t.Errorf("%s: %d, Cache-Control %q, Vary %q", route.Pattern, a.Status, got, a.vary())
		}
	}
}

// answerWith returns alice's answer from a handler behind gates that sets own as
// Cache-Control, and other fields for caches, after running check if it is not nil.
func answerWith(t *testing.T, f Framework, own []string, check *core.Guard, gates ...Gate) Answer {
	t.Helper()
	return newDoorIn(t, f, App{}, func(x Exchange) error {
		if check != nil {
			if err := x.Check(check, only("alice")); err != nil {
				return err
			}
		}
		x.SetHeader("Vary", "Origin")
		for i, line := range own {
			if i == 0 {
				x.SetHeader("Cache-Control", line)
				continue
			}
			x.AddHeader("Cache-Control", line)
		}
		for _, name := range targetedFields {
			x.SetHeader(name, "max-age=600")
		}
		return nil
	}, gates...).admits("alice", as("alice"))
}

// cachedAs fails the test unless a, an answer of answerWith, has the given Cache-Control
// lines and no other field for caches.
func cachedAs(t *testing.T, what string, a Answer, want ...string) {
	t.Helper()
	if got := a.Header.Values("Cache-Control"); !slices.Equal(got, want) {
		t.Errorf("%s: Cache-Control %q, want %q", what, got, want)
	}
	if got := a.vary(); got != "authorization origin" {
		t.Errorf("%s: Vary %q", what, got)
	}
	for _, name := range targetedFields {
		if v, shared := a.Header.Get(name), slices.Contains(want, sharedLine); (v != "") != shared {
			t.Errorf("%s: %s %q", what, name, v)
		}
	}
}

const sharedLine = "public, s-maxage=60"

// checkCaching checks that a check that runs gate one itself adds the fields for caches,
// too.
func checkCaching(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	d := newDoorIn(t, f, App{}, func(x Exchange) error { return x.Check(g, only("alice")) })
	for _, header := range []string{"Cookie: session=alice", as("alice")} {
		a := d.get(header)
		if got := a.Header.Values("Cache-Control"); a.Status != http.StatusOK || !slices.Equal(got, []string{"private"}) || a.vary() != "authorization cookie" {
			t.Errorf("%s: %d, Cache-Control %q, Vary %q", header, a.Status, got, a.vary())
		}
	}
	// Set the header before the check, after it, and behind a gate that admits everyone:
	// only there can a header set after the check be completed.
	for own, gates := range map[string][]Gate{"before": nil, "after": {{Kind: "Optional", Guard: g}}} {
		second, _ := guardOf(t, []core.Authenticator{sessions{}})
		a := newDoorIn(t, f, App{}, func(x Exchange) error {
			if own == "before" {
				x.SetHeader("Cache-Control", "public, max-age=60")
			}
			err := x.Check(second, only("alice"))
			if own == "after" && err == nil {
				x.SetHeader("Cache-Control", "public, max-age=60")
			}
			return err
		}, gates...).get("Cookie: session=alice")
		if got := a.Header.Values("Cache-Control"); a.Status != http.StatusOK || !slices.Equal(got, []string{"private, max-age=60"}) {
			t.Errorf("set %s the check: %d, Cache-Control %q", own, a.Status, got)
		}
	}
}

// denialCaching checks that every kind of denial is sent with no-store, whatever middleware
// in front of the gate sets, also for caches with fields of their own (RFC 9213).
func denialCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	for front, passed := range map[string]string{"": "private", "public, max-age=600": "private, max-age=600", "no-store": "no-store"} {
		addr := f.Start(t, App{
			Before: []Handler{func(x Exchange) error {
				if front != "" {
					x.SetHeader("Cache-Control", front)
					x.AddHeader("Cache-Control", "s-maxage=600")
				}
				for _, name := range targetedFields {
					x.SetHeader(name, "max-age=600")
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
			refused(t, c.header, a, c.status, c.code) // checks for no-store, among other things
			for _, name := range targetedFields {
				if value := a.Header.Get(name); value != "" {
					t.Errorf("%s: %d with %s: %s", c.header, a.Status, name, value)
				}
			}
		}
		a := Send(t, addr, Request("GET", "/api/door/1", as("alice")))
		if got := a.Header.Get("Cache-Control"); got != passed {
			t.Errorf("Cache-Control %q in front became %q on success, want %q", front, got, passed)
		}
	}
}

// responderCaching checks that no cache stores a refusal whose own responder says that it
// may, whether something else is in the header or not.
func responderCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")), core.WithResponder(core.ResponderFunc(func(_ core.Request, d *core.Denial) core.Response {
		fields := []core.Field{{Name: "cache-control", Value: "max-age=600"}}
		for _, name := range targetedFields {
			fields = append(fields, core.Field{Name: name, Value: "max-age=600"}, core.Field{Name: strings.ToLower(name), Value: "max-age=60"})
		}
		return core.Response{Fields: fields, Body: []byte(d.Code)}
	})))
	for _, front := range []Handler{nil, func(x Exchange) error {
		x.SetHeader("X-Front", "1")
		return nil
	}} {
		app := App{Routes: []Route{{Pattern: "/", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Authorize", Guard: g}}, Handler: ok}}}
		if front != nil {
			app.Before = []Handler{front}
		}
		addr := f.Start(t, app)
		for who, status := range map[string]int{"Accept: */*": http.StatusUnauthorized, as("bob"): http.StatusForbidden} {
			a := Send(t, addr, Request("GET", "/", who))
			if got := a.Header.Values("Cache-Control"); a.Status != status || !slices.Equal(got, []string{"no-store"}) {
				t.Errorf("front %v, %s: %d, Cache-Control %q", front != nil, who, a.Status, got)
			}
			for _, name := range targetedFields {
				if value := a.Header.Get(name); value != "" {
					t.Errorf("front %v, %s: %s: %s", front != nil, who, name, value)
				}
			}
		}
	}
}

// varyMerged checks that Vary keeps the members that others have set, without duplicates.
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
		d := newDoorIn(t, f, App{Before: []Handler{func(x Exchange) error {
			for _, line := range c.front {
				x.AddHeader("Vary", line)
			}
			return nil
		}}}, nil, Gate{Kind: "Authenticate", Guard: g}, Gate{Kind: "Authorize", Guard: g})
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

// sharedCaching: the guard of the last gate or check decides, and an answer stays private
// unless the handler says otherwise.
func sharedCaching(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	shared := variant(t, g, core.WithSharedCaching())
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
