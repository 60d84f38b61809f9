package authtest

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var denialCases = []testCase{
	{"invariant 5 A24 no handler runs after a denial", nothingRuns},
	{"A24 nothing is appended to an answer that is sent", alreadySent},
	{"the app's error handler sees each denial", errorHandler},
	{"an error of a handler is the app's own", handlerError},
}

// denied are credentials for each kind of denial by a guard that admits only alice, with
// the status.
var denied = []struct {
	header, target string
	status         int
	kind           core.Kind
	code           string
}{
	{"Accept: */*", "/api/door/1", 401, core.Unauthenticated, core.CodeAuthenticationRequired},
	{as("bad"), "/api/door/1", 401, core.Unauthenticated, core.CodeInvalidCredentials},
	{as("bob"), "/api/door/1", 403, core.Forbidden, core.CodeForbidden},
	{as("alice") + "\n" + as("alice"), "/api/door/1", 400, core.Ambiguous, core.CodeInvalidRequest},
	{as("alice"), "/api/door/a%5Cb", 400, core.Ambiguous, core.CodeAmbiguousPath},
	{as("down"), "/api/door/1", 503, core.Unavailable, core.CodeUnavailable},
	{as("panic"), "/api/door/1", 500, core.Faulty, core.CodeInternal},
}

// nothingRuns checks that after a denial neither later gates nor the handler run, whatever
// the kind of denial and the position of the gate.
func nothingRuns(t *testing.T, f Framework) {
	for _, kind := range []string{"Authenticate", "Authorize", "Require"} {
		for _, where := range []string{"app", "group", "route"} {
			nothingRunsBehind(t, f, kind, where)
		}
	}
}

func nothingRunsBehind(t *testing.T, f Framework, kind, where string) {
	g, rec := guard(t, core.WithAuthorizer(only("alice")))
	later, lateRec := guardOf(t, []core.Authenticator{sessions{}})
	gates := []Gate{{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}}}
	d := &door{t: t}
	route := Route{
		Group: "/api", Pattern: "/door/:id", Methods: []string{"GET"},
		Gates: []Gate{{Kind: "Optional", Guard: later}}, Handler: d.handle,
	}
	var app App
	switch where {
	case "app":
		app.Use = gates
	case "group":
		route.GroupGates = gates
	default:
		route.Gates = append(gates, route.Gates...)
	}
	app.Routes = []Route{route}
	d.addr = f.Start(t, app)
	for _, c := range denied {
		if kind == "Authenticate" && c.status == http.StatusForbidden {
			continue
		}
		what := kind + " on " + where + ", " + c.header
		refused(t, what, Send(t, d.addr, Request("GET", c.target, c.header)), c.status, c.code)
		if e := rec.Last(t); e.Status != c.status {
			t.Errorf("%s: the event says %d", what, e.Status)
		}
	}
	if d.runs.Load() != 0 || len(lateRec.Events()) != 0 {
		t.Errorf("%s on %s: handler ran %d times, a later gate %d times", kind, where, d.runs.Load(), len(lateRec.Events()))
	}
	a := Send(t, d.addr, Request("GET", "/api/door/1", as("alice")))
	if a.Status != http.StatusOK || d.runs.Load() != 1 || len(lateRec.Events()) != 1 {
		t.Errorf("%s on %s: alice: %d", kind, where, a.Status)
	}
}

// alreadySent checks that a denial, of a gate or inside a handler, stops the request and
// adds nothing if middleware in front has already answered.
func alreadySent(t *testing.T, f Framework) {
	const first = "answered in front"
	g, rec := guard(t, core.WithAuthorizer(only("alice")))
	app := App{Before: []Handler{func(x Exchange) error { return x.Text(http.StatusAccepted, first) }}}
	gate := newDoorIn(t, f, app, nil, Gate{Kind: "Authorize", Guard: g})
	check := newDoorIn(t, f, app, func(x Exchange) error { return x.Check(g, only("alice")) }, Gate{Kind: "Optional", Guard: g})
	for _, c := range []struct {
		header string
		status int
		code   string
	}{
		{"Accept: */*", 401, core.CodeAuthenticationRequired},
		{as("bob"), 403, core.CodeForbidden},
		{as("down"), 503, core.CodeUnavailable},
	} {
		for what, d := range map[string]*door{"gate": gate, "check": check} {
			a := d.get(c.header)
			if e := rec.Last(t); e.Status != c.status {
				t.Errorf("%s, %s: the event says %d", what, c.header, e.Status)
			}
			switch {
			case f.Buffers:
				refused(t, what+", "+c.header, a, c.status, c.code)
			case a.Status != http.StatusAccepted || !strings.HasPrefix(a.Body, first):
				t.Errorf("%s, %s: %d %q", what, c.header, a.Status, a.Body)
			case f.SeesSent && a.Body != first:
				t.Errorf("%s, %s: appended: %q", what, c.header, a.Body)
			}
		}
	}
	if n := gate.runs.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}

// errorHandler checks that on frameworks with an error handler, it receives each denial,
// both as the framework's own error with the status and as the denial. The answer is
// complete, and is the same as without such a handler.
func errorHandler(t *testing.T, f Framework) {
	var mu sync.Mutex
	var told []error
	route := func(g *core.Guard) Route {
		return Route{
			Group: "/api", Pattern: "/door/:id", Methods: []string{"GET", "OPTIONS"},
			Gates:   []Gate{{Kind: "Authorize", Guard: g}, {Kind: "Authenticate", Guard: g}},
			Handler: ok,
		}
	}
	g, _ := guard(t, core.WithAuthorizer(only("alice")))
	plain := f.Start(t, App{Routes: []Route{route(g)}})
	addr := f.Start(t, App{Routes: []Route{route(g)}, Errors: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}})
	for _, c := range denied {
		told = nil
		request := Request("GET", c.target, c.header)
		a := Send(t, addr, request)
		refused(t, request, a, c.status, c.code)
		if diff := difference(Send(t, plain, request), a); diff != "" {
			t.Errorf("%s: with an error handler: %s", request, diff)
		}
		if f.NativeCode == nil {
			continue
		}
		if len(told) != 1 {
			t.Errorf("%s: the error handler was told %v", request, told)
			continue
		}
		var d *core.Denial
		if !errors.As(told[0], &d) || d.Kind != c.kind || d.Code != c.code {
			t.Errorf("%s: no denial of kind %d in %v", request, c.kind, told[0])
		}
		if status, ok := f.NativeCode(told[0]); !ok || status != c.status {
			t.Errorf("%s: native status %d %v in %v", request, status, ok, told[0])
		}
	}
	told = nil
	Send(t, addr, Request("GET", "/api/door/1", as("alice")))
	a := Send(t, addr, Request("OPTIONS", "/api/door/1", "Origin: https://app.example", "Access-Control-Request-Method: GET"))
	if a.Status != http.StatusNoContent || len(told) != 0 {
		t.Errorf("preflight: %d; the error handler was told %v", a.Status, told)
	}
}

// handlerError checks that an error other than a denial takes the app's usual path.
func handlerError(t *testing.T, f Framework) {
	if f.NativeCode == nil {
		t.Skip("Framework.NativeCode is nil: the framework's apps have no error handler")
	}
	own := errors.New("own")
	told := make(chan error, 1)
	g, rec := guard(t)
	addr := f.Start(t, App{
		Use:    []Gate{{Kind: "Optional", Guard: g}},
		Routes: []Route{{Pattern: "/door", Methods: []string{"GET"}, Handler: func(Exchange) error { return own }}},
		Errors: func(err error) { told <- err },
	})
	a := Send(t, addr, Request("GET", "/door"))
	if err := <-told; !errors.Is(err, own) || a.Status != http.StatusInternalServerError {
		t.Errorf("%d, told %v", a.Status, err)
	}
	if e := rec.Last(t); e.Status != http.StatusOK {
		t.Errorf("the gate let it pass; its event says %d", e.Status)
	}
}
