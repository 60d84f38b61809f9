package authtest

import (
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var refusalCases = []testCase{
	{"invariant 17 a handler that goes on after a refused check sends nothing", noReturnAfterRefusal},
	{"invariant 17 what stands in front adds nothing to a refusal", writesBehind},
	{"invariant 17 an error handler that answers everything changes no refusal", answersErrors},
	{"invariant 17 a handler that goes on is told of once", toldOnce},
	{"what a gate lets pass may stream, flush and hijack", abilities},
	{"invariant 17 what a handler has said of a body is not said of a refusal", describesNothing},
	{"an upload that nobody reads leaves nothing for the next request", unreadUploads},
	{"the files of a form are removed with its request", formFiles},
}

// later is text that must not be received after a refusal.
const later = "written after the refusal"

// lateWriters returns the ways to write a response: those that all frameworks share, and
// f's own.
func lateWriters(f Framework) map[string]Handler {
	writers := map[string]Handler{
		"text":         func(x Exchange) error { return x.Text(http.StatusOK, later) },
		"other status": func(x Exchange) error { return x.Text(http.StatusTeapot, later) },
		"fields": func(x Exchange) error {
			x.SetHeader("X-Late", later)
			x.SetHeader("Www-Authenticate", "Late")
			x.SetHeader("Cache-Control", "public")
			x.SetHeader("Content-Type", "text/late")
			return nil
		},
	}
	maps.Copy(writers, f.Writers)
	return writers
}

// takesOver reports whether the named writer hijacks the connection.
func takesOver(name string) bool { return strings.HasPrefix(name, "hijack") }

// refusalGuards returns guards whose refusals are made in different ways.
func refusalGuards(t *testing.T) map[string]*core.Guard {
	quiet := core.WithLogger(slog.New(slog.DiscardHandler))
	plain, _ := guard(t, quiet)
	cors, _ := guard(t, quiet, core.WithCORS("https://app.example"))
	hidden, _ := guard(t, quiet, core.WithConcealment(nil))
	return map[string]*core.Guard{"plain": plain, "CORS": cors, "concealing": hidden}
}

// noReturnAfterRefusal checks that a handler that does not return after a refused check adds nothing to
// the refusal.
func noReturnAfterRefusal(t *testing.T, f Framework) {
	for option, g := range refusalGuards(t) {
		for _, gates := range [][]Gate{nil, {{Kind: "Optional", Guard: g}}} {
			if gates == nil && option == "concealing" {
				continue // all gates of a hidden route belong to its guard
			}
			var routes []Route
			for name, write := range lateWriters(f) {
				path := "/" + strings.ReplaceAll(name, " ", "-")
				check := func(x Exchange) error { return x.Check(g, only("alice")) }
				routes = append(routes,
					Route{Pattern: path + "/right", Methods: []string{"GET", "HEAD"}, Gates: gates, Handler: check},
					Route{Pattern: path + "/wrong", Methods: []string{"GET", "HEAD"}, Gates: gates, Handler: func(x Exchange) error {
						x.SetHeader("Content-Encoding", "late")
						_ = check(x)
						return write(x)
					}})
			}
			addr := f.Start(t, App{Routes: routes})
			for name := range lateWriters(f) {
				if gates == nil && !f.SealsInFront && takesOver(name) {
					continue // the handler has the server's own writer
				}
				path := "/" + strings.ReplaceAll(name, " ", "-")
				for _, header := range []string{"Origin: https://app.example", as("bob")} {
					for _, method := range []string{"GET", "HEAD"} {
						what := fmt.Sprintf("%s, %d gates, %s, %s as %s", option, len(gates), name, method, header)
						want := Send(t, addr, Request(method, path+"/right", header))
						want.Body = strings.ReplaceAll(want.Body, path+"/right", path+"/wrong")
						sameRefusal(t, what, want, Send(t, addr, Request(method, path+"/wrong", header)))
					}
				}
			}
		}
	}
}

// describesNothing checks that after a refusal nothing remains of the fields with which a
// handler has described its content, also for some caches (RFC 9213; RFC 9110 §8, RFC
// 9530). A path or a digest in them may be secret.
func describesNothing(t *testing.T, f Framework) {
	described := map[string]string{
		"Accept-Ranges": "bytes", "Content-Digest": "sha-256=:AA==:", "Content-Disposition": "attachment; filename=later",
		"Content-Encoding": "later", "Content-Language": "mi", "Content-Location": "/later", "Content-Md5": "AA==", "Content-Range": "bytes 0-1/2",
		"Digest": "sha-256=AA==", "Etag": `"later"`, "Last-Modified": "Mon, 30 Nov 2026 11:00:00 GMT", "Repr-Digest": "sha-256=:AA==:", "Trailer": "X-Later",
		"X-Accel-Redirect": "/later", "X-Lighttpd-Send-File": "/later", "X-Litespeed-Location": "/later", "X-Reproxy-File": "/later", "X-Reproxy-Url": "/later",
		"X-Sendfile": "/later", "X-Sendfile-Temporary": "/later", "X-Sendfile2": "/later 0-1",
	}
	for _, name := range targetedFields {
		described[name] = "max-age=60"
	}
	g, _ := guard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	for _, gates := range [][]Gate{nil, {{Kind: "Optional", Guard: g}}} {
		addr := f.Start(t, App{Routes: []Route{{Pattern: "/", Methods: []string{"GET", "HEAD"}, Gates: gates, Handler: func(x Exchange) error {
			for name, value := range described {
				x.SetHeader(name, value)
			}
			return x.Check(g, only("alice"))
		}}}})
		for _, method := range []string{"GET", "HEAD"} {
			a := Send(t, addr, Request(method, "/", as("bob")))
			if a.Status != http.StatusForbidden {
				t.Errorf("%d gates, %s: %d", len(gates), method, a.Status)
			}
			for name := range described {
				if value := a.Header.Get(name); value != "" {
					t.Errorf("%d gates, %s: a refusal has %s: %s", len(gates), method, name, value)
				}
			}
		}
	}
}

// sameRefusal fails the test unless got is byte for byte the refusal want.
func sameRefusal(t *testing.T, what string, want, got Answer) {
	t.Helper()
	if want.Status < 400 {
		t.Errorf("%s: no refusal: %d", what, want.Status)
	}
	for _, name := range []string{"Connection", "Content-Length"} { // set by the server
		want.Header.Del(name)
		got.Header.Del(name)
	}
	if diff := difference(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// writesBehind checks that middleware in front that writes after the rest has run adds
// nothing to a refusal.
func writesBehind(t *testing.T, f Framework) {
	for option, g := range refusalGuards(t) {
		if option == "concealing" {
			continue // middleware in front treats it as an unknown path
		}
		for name, write := range lateWriters(f) {
			if !f.SealsInFront && (name == "hijack" || name == "fields") {
				continue // the middleware has the server's own writer
			}
			routes := []Route{
				{Pattern: "/gate", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}}, Handler: ok},
				{Pattern: "/check", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Optional", Guard: g}}, Handler: func(x Exchange) error {
					return x.Check(g, only("alice"))
				}},
			}
			plain := f.Start(t, App{Routes: routes})
			addr := f.Start(t, App{Routes: routes, After: []Handler{write}})
			for _, path := range []string{"/gate", "/check"} {
				for _, header := range []string{"Accept: */*", as("bob")} {
					want, got := Send(t, plain, Request("GET", path, header)), Send(t, addr, Request("GET", path, header))
					sameRefusal(t, option+", "+name+" in front of "+path+", "+header, want, got)
				}
			}
		}
	}
}

// answersErrors checks the same for an error handler that writes even though there is an
// answer.
func answersErrors(t *testing.T, f Framework) {
	if f.NativeCode == nil {
		t.Skip("Framework.NativeCode is nil: the framework's apps have no error handler")
	}
	g, _ := guard(t, core.WithLogger(slog.New(slog.DiscardHandler)))
	route := Route{Pattern: "/gate", Methods: []string{"GET"}, Gates: []Gate{{Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}}, Handler: ok}
	plain := f.Start(t, App{Routes: []Route{route}})
	for name, write := range lateWriters(f) {
		addr := f.Start(t, App{Routes: []Route{route}, OnError: write})
		for _, header := range []string{"Accept: */*", as("bob"), as("down")} {
			want, got := Send(t, plain, Request("GET", "/gate", header)), Send(t, addr, Request("GET", "/gate", header))
			sameRefusal(t, name+", "+header, want, got)
		}
	}
}

// toldOnce checks that the guard's logger reports a handler that goes on after a refusal,
// once per request, and no handler that returns.
func toldOnce(t *testing.T, f Framework) {
	var log logBuffer
	g, _ := guard(t, core.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	route := func(path string, after Handler) Route {
		return Route{Pattern: path, Methods: []string{"GET"}, Gates: []Gate{{Kind: "Authenticate", Guard: g}}, Handler: func(x Exchange) error {
			if err := x.Check(g, only("alice")); err != nil && after == nil {
				return err
			}
			if after != nil {
				return after(x)
			}
			return ok(x)
		}}
	}
	addr := f.Start(t, App{Routes: []Route{
		route("/right", nil),
		route("/wrong", func(x Exchange) error {
			_ = x.Text(http.StatusOK, later)
			return x.Text(http.StatusOK, later)
		}),
	}})
	Send(t, addr, Request("GET", "/right", as("bob")))
	Send(t, addr, Request("GET", "/right", as("alice")))
	if log.String() != "" {
		t.Errorf("a handler that returned: %s", log.String())
	}
	for n := 1; n < 3; n++ {
		Send(t, addr, Request("GET", "/wrong", as("bob")))
		if got := log.String(); strings.Count(got, "\n") != n || !strings.Contains(got, "gate=check status=403") || !strings.Contains(got, "route=/wrong") {
			t.Errorf("after %d requests: %s", n, got)
		}
	}
}

// abilities checks that behind a gate a handler has the same optional interfaces of the
// response writer as without.
func abilities(t *testing.T, f Framework) {
	g, _ := guard(t)
	var routes []Route
	for name, write := range f.Writers {
		for _, prefix := range []string{"/plain/", "/gated/"} {
			route := Route{Pattern: prefix + name, Methods: []string{"GET"}, Handler: write}
			if prefix == "/gated/" {
				route.Gates = []Gate{{Kind: "Authenticate", Guard: g}, {Kind: "Require", Guard: g, Rules: []core.Authorizer{only("alice")}}}
			}
			routes = append(routes, route)
		}
	}
	addr := f.Start(t, App{Routes: routes})
	for name := range f.Writers {
		want := Send(t, addr, Request("GET", "/plain/"+name))
		got := Send(t, addr, Request("GET", "/gated/"+name, as("alice")))
		got.Header.Del("Vary")
		got.Header.Del("Cache-Control") // covered by anyWriterCaching
		if diff := difference(want, got); diff != "" || want.Status >= 400 {
			t.Errorf("%s: %d, %s", name, want.Status, diff)
		}
	}
}
