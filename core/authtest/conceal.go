package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var concealCases = []testCase{
	{"A22 a hidden route answers like a path without one", concealed},
	{"A22 A21 and like the application's own handler for those", concealedNatively},
	{"A22 a check inside a handler hides too", concealedCheck},
	{"invariant 14 a handler of another framework is refused when a gate is mounted", concealedWrongly},
}

// probes are requests that a hidden route refuses, by the credentials they carry.
var probes = map[string][]string{
	"anonymous":       nil,
	"bad credentials": {as("bad")},
	"refused":         {as("bob")},
	"two credentials": {as("alice"), as("bob")},
	"a preflight":     {"Origin: https://front.example", "Access-Control-Request-Method: GET"},
}

// alike fails unless both paths, which must be of equal length, get the same answer to
// every request.
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

// hiding returns an app with hidden routes behind one, two and three gates.
func hiding(t *testing.T, native any) App {
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
	}
}

func concealed(t *testing.T, f Framework) {
	app := hiding(t, nil)
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
	app := hiding(t, native)
	app.NotFound = native
	addr := f.Start(t, app)
	alike(t, addr, "/one", "/nah")
	alike(t, addr, "/two", "/nah")
	if a := Send(t, addr, Request("GET", "/two", as("bob"))); a.Body != "nothing to see here" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%+v", a)
	}
}

func concealedCheck(t *testing.T, f Framework) {
	app := hiding(t, nil)
	addr := f.Start(t, app)
	alike(t, addr, "/chk", "/nah")
	if a := Send(t, addr, Request("GET", "/chk", as("alice"))); a.Status != http.StatusOK || a.Body != handled+"alice" {
		t.Errorf("%d %q", a.Status, a.Body)
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
