package authtest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
)

var concealCases = []testCase{
	{"A22 a hidden route answers like a path without one", concealed},
	{"A22 A21 and like the application's own handler for those", concealedNatively},
	{"A22 a check inside a handler hides too", concealedCheck},
	{"A22 guessing at a hidden route tells nothing of it", concealedGuessing},
	{"A22 A18 preflights are hidden too, whatever origin they name", concealedPreflight},
	{"A22 what is no refusal is not hidden", concealedFailures},
	{"invariant 14 a handler of another framework is refused when a gate is mounted", concealedWrongly},
}

// probes are requests that a hidden route refuses, by what they carry.
var probes = map[string][]string{
	"anonymous":       nil,
	"bad credentials": {as("bad")},
	"refused":         {as("bob")},
	"two credentials": {as("alice"), as("bob")},
	"a preflight":     {"Origin: https://front.example", "Access-Control-Request-Method: GET"},
}

// alike fails unless both paths, which are of one length, get the same answer
// whatever is asked of them.
func alike(t *testing.T, addr, hidden, unknown string) {
	t.Helper()
	for what, header := range probes {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			if what == "a preflight" {
				method = "OPTIONS"
			}
			if method == "POST" {
				header = append(header[:len(header):len(header)], "Content-Length: 0")
			}
			got := Send(t, addr, Request(method, hidden, header...))
			want := Send(t, addr, Request(method, unknown, header...))
			want.Body = strings.ReplaceAll(want.Body, unknown, hidden)
			if got.Status != http.StatusNotFound || got.Status != want.Status || got.Body != want.Body {
				t.Errorf("%s, %s: %d %q, an unknown path %d %q", method, what, got.Status, got.Body, want.Status, want.Body)
			}
			if d := fieldDifference(got.Header, want.Header); d != "" {
				t.Errorf("%s, %s: %s", method, what, d)
			}
		}
	}
}

// hiding is an app with hidden routes below one, two and three gates.
func hiding(t *testing.T, native any) (App, *core.Guard) {
	g, _ := guard(t)
	v := variant(t, g, core.WithConcealment(native))
	two := []Gate{{Kind: "Authenticate", Guard: v}, {Kind: "Require", Guard: v, Rules: []core.Authorizer{only("alice")}}}
	methods := []string{"GET", "HEAD", "POST", "OPTIONS"}
	return App{
		Before: []Handler{func(x Exchange) error {
			x.SetHeader("X-App", "yes")
			x.AddHeader("Vary", "Accept-Encoding")
			return nil
		}},
		Routes: []Route{
			{Pattern: "/one", Methods: methods, Gates: two[1:], Handler: ok},
			{Pattern: "/two", Methods: methods, Gates: two, Handler: ok},
			{Group: "/api", Pattern: "/two", Methods: methods, GroupGates: two[:1], Gates: two[1:], Handler: ok},
			{Pattern: "/chk", Methods: methods, Gates: two[:1], Handler: func(x Exchange) error {
				if err := x.Check(v, only("alice")); err != nil {
					return err
				}
				return ok(x)
			}},
		},
	}, v
}

func concealed(t *testing.T, f Framework) {
	app, _ := hiding(t, nil)
	addr := f.Start(t, app)
	alike(t, addr, "/one", "/nah")
	alike(t, addr, "/two", "/nah")
	alike(t, addr, "/api/two", "/apx/two")
	for _, path := range []string{"/one", "/two", "/api/two"} {
		a := Send(t, addr, Request("GET", path, as("alice")))
		if a.Status != http.StatusOK || a.Body != handled+"alice" || a.vary() != "accept-encoding authorization" {
			t.Errorf("%s: %d %q, Vary %q", path, a.Status, a.Body, a.vary())
		}
	}
}

func concealedNatively(t *testing.T, f Framework) {
	native := f.Native(func(x Exchange) error {
		x.SetHeader("Cache-Control", "no-store")
		return x.Text(http.StatusNotFound, "nothing to see here")
	})
	app, _ := hiding(t, native)
	app.NotFound = native
	addr := f.Start(t, app)
	alike(t, addr, "/one", "/nah")
	alike(t, addr, "/two", "/nah")
	if a := Send(t, addr, Request("GET", "/two", as("bob"))); a.Body != "nothing to see here" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%+v", a)
	}
}

func concealedCheck(t *testing.T, f Framework) {
	app, _ := hiding(t, nil)
	addr := f.Start(t, app)
	alike(t, addr, "/chk", "/nah")
	if a := Send(t, addr, Request("GET", "/chk", as("alice"))); a.Status != http.StatusOK || a.Body != handled+"alice" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}

// concealedGuessing: an unknown path is never 429, so neither is a hidden one.
func concealedGuessing(t *testing.T, f Framework) {
	a, err := basic.New("r", passwords)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{refusals: map[string]error{"bob": &core.LimitError{RetryAfter: time.Minute, Err: errors.New("many")}}}
	g, rec := guardOf(t, []core.Authenticator{a}, core.WithAttemptLimiter(l))
	addr := f.Start(t, App{Routes: []Route{{
		Pattern: "/one", Handler: ok,
		Gates: []Gate{{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))}},
	}}})
	guess := "Authorization: Basic Ym9iOmd1ZXNz" // bob:guess
	got, want := Send(t, addr, Request("GET", "/one", guess)), Send(t, addr, Request("GET", "/nah", guess))
	if d := fieldDifference(got.Header, want.Header); got.Status != http.StatusNotFound || got.Status != want.Status || d != "" {
		t.Errorf("%d, an unknown path %d: %s", got.Status, want.Status, d)
	}
	if e := rec.Last(t); e.Outcome != core.OutcomeLimited || e.Reason != core.ReasonTooManyAttempts {
		t.Errorf("the event hides it too: %+v", e)
	}
}

// concealedPreflight: anyone can send the Origin of a page that may read refusals.
func concealedPreflight(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithCORS(front))
	addr := f.Start(t, App{Routes: []Route{{
		Pattern: "/one", Methods: []string{"GET", "OPTIONS"}, Handler: ok,
		Gates: []Gate{{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))}},
	}}})
	header := []string{"Origin: " + front, "Access-Control-Request-Method: GET"}
	for _, method := range []string{"OPTIONS", "GET"} {
		got, want := Send(t, addr, Request(method, "/one", header...)), Send(t, addr, Request(method, "/nah", header...))
		if d := fieldDifference(got.Header, want.Header); got.Status != http.StatusNotFound || got.Status != want.Status || d != "" {
			t.Errorf("%s: %d, an unknown path %d: %s", method, got.Status, want.Status, d)
		}
	}
}

// concealedFailures: hiding an outage behind 404 would make caches and crawlers
// forget the page.
func concealedFailures(t *testing.T, f Framework) {
	g, rec := guard(t)
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: variant(t, g, core.WithConcealment(nil))})
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, as("down"))
	d.refuses(http.StatusInternalServerError, core.CodeInternal, as("panic"))
	if a := d.get(as("bad")); a.Status != http.StatusNotFound {
		t.Errorf("%d", a.Status)
	}
	if e := rec.Last(t); e.Status != http.StatusNotFound || e.Outcome != core.OutcomeUnauthenticated || e.Reason != core.ReasonMalformed {
		t.Errorf("the event hides it too: %+v", e)
	}
}

func concealedWrongly(t *testing.T, f Framework) {
	g, _ := guard(t)
	v := variant(t, g, core.WithConcealment("404"))
	defer func() {
		if recover() == nil {
			t.Error("mounted")
		}
	}()
	newDoor(t, f, Gate{Kind: "Authenticate", Guard: v})
}
