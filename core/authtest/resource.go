package authtest

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var resourceCases = map[string]func(*testing.T, Framework){
	"matched route and canonical path":           matchedRoute,
	"G01-G17 spellings of a path":                spellings,
	"G13 H09 parameters are decoded once":        decodedParams,
	"G14-G15 methods":                            guardedMethods,
	"G16 upgrade requests":                       upgrades,
	"G05 G10 a gate on the app sees each target": everyTarget,
	"G18-G20 headers that prove nothing":         untrustedHeaders,
	"G18 fields behind the body":                 trailers,
	"400 for a path comes before 401 and 403":    ambiguousFirst,
	"G02 encoded slashes by option":              encodedSlashes,
}

// spelling is an unusual request target with its expected outcome.
type spelling struct {
	item, target string
	want         int // unless Framework.Spellings says otherwise
}

var spellingTable = []spelling{
	{"G01", "/files/secret", 403},
	{"G01", "/files/secret/x", 403},
	{"G01", "/files/public", 200},
	{"G02", "/files%2Fsecret", 404},
	{"G02", "/%66iles/secret", 403},
	{"G02", "/files/%73ecret", 403},
	{"G02", "/files/secret%2Fx", 400},
	{"G02", "/files/x%5Csecret", 400},
	{"G03", "/files/%2573ecret", 400},
	{"G03", "/%2566iles/secret", 404},
	{"G03", "/files/100%25", 200},
	{"G04", "/files/x/../secret", 400},
	{"G04", "/files/./secret", 400},
	{"G04", "/files/%2e%2e/admin", 400},
	{"G04", "/files/x/%2E%2E/secret", 400},
	{"G04", "/files/..", 400},
	{"G05", "/files//secret", 400},
	{"G05", "//files/secret", 404},
	{"G05", "/files/secret//", 400},
	{"G06", "/FILES/secret", 404},
	{"G06", "/Files/Secret", 404},
	{"G06", "/files/SECRET", 200},
	{"G01", "/static/public.txt", 200},
	{"G01", "/static/secret/x.txt", 403},
	{"G06", "/STATIC/secret/x.txt", 404},
	{"G17", "/staticsecret/x.txt", 404},
	{"G01", "/nested/public", 200},
	{"G01", "/nested/secret/x", 403},
	{"G06", "/NESTED/secret", 404},
	{"G17", "/nestedsecret", 404},
	{"G06", "/ADMIN/7", 404},
	{"G07", "/files/secret/", 403},
	{"G07", "/files/public/", 200},
	{"G07", "/admin/7/", 403},
	{"G07", "/admin/", 404},
	{"G08", "/files/secret;x=1", 200},
	{"G08", "/files;x=1/secret", 404},
	{"G08", "/files/secret%3bx", 200},
	{"G09", "/files/secret#f", 400},
	{"G09", "/files/public#/../secret", 400},
	{"G09", "/files/public%23", 200},
	{"G10", "http://evil.example/files/secret", 403},
	{"G10", "files/secret", 400},
	{"G11", "/files/secret?x", 403},
	{"G11", "/files/public?/files/secret", 200},
	{"G11", "/files/secret%3Fx", 200},
	{"G12", "/files/a%00b", 400},
	{"G12", "/files/a%0d%0ab", 400},
	{"G12", "/files/%ff", 400},
	{"G12", "/files/%C2%85", 400},
	{"G12", "/files/%zz", 400},
	{"G12", "/files/x%", 400},
	{"G12", "/things/a%0Ab", 400},
	{"G17", "/files/secretx", 200},
	{"G17", "/files/secret..", 200},
	{"G17", "/filesecret", 404},
}

// spellings sends the table of unusual request targets. Any status that the framework
// itself answers before a gate is accepted, as long as no handler runs.
func spellings(t *testing.T, f Framework) {
	v := newVault(t, f)
	for _, c := range spellingTable {
		want := c.want
		if s, ok := f.Spellings[c.target]; ok {
			want = s
		}
		before := len(v.rec.Events())
		a := Send(t, v.addr, Request("GET", c.target, "Authorization: Name alice"))
		if a.Status != want {
			t.Errorf("%s GET %s: %d, want %d (%s)", c.item, c.target, a.Status, want, strings.TrimSpace(a.Body))
		}
		if a.Status == 400 && len(v.rec.Events()) > before && !strings.Contains(a.Body, core.CodeAmbiguousPath) {
			t.Errorf("%s GET %s: body %q", c.item, c.target, a.Body)
		}
		for _, r := range v.take() {
			if leak := r.leak(v.rec.Last(t).Resource); leak != "" {
				t.Errorf("%s GET %s: %s", c.item, c.target, leak)
			}
		}
	}
}

// everyTarget checks that no request target passes a gate on the whole app by, to a route
// that answers for any path.
func everyTarget(t *testing.T, f Framework) {
	g, _ := guard(t)
	ran := false
	addr := f.Start(t, App{Use: []Gate{{Kind: "Authenticate", Guard: g}}, Routes: []Route{{Pattern: "/*", Handler: func(x Exchange) error {
		ran = true
		return ok(x)
	}}}})
	if a := Send(t, addr, Request("GET", "/x", "Authorization: Name alice")); a.Status != 200 || !ran {
		t.Fatalf("GET /x: %d, the handler ran: %v", a.Status, ran)
	}
	for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS", "CONNECT"} {
		for _, target := range []string{
			"/", "/x", "//", "///", "/%2F", "/%2f%2F", "/.", "/..", "/%00", `/\`, "*", "/*", "?", "/?", "//?x", "http://app.example", "http://app.example?x",
			"http://app.example//", "//app.example", "//app.example?x", "http:", "http://?x", "x", "app.example:80", ";", "/;", "%2F", "http:///",
		} {
			ran = false
			if a, _ := send(addr, Request(method, target)); ran {
				t.Errorf("%s %s without credentials reaches the handler: %d", method, target, a.Status)
			}
		}
	}
}

// ambiguousFirst checks that an ambiguous path is refused before authentication.
func ambiguousFirst(t *testing.T, f Framework) {
	v := newVault(t, f)
	for _, header := range [][]string{nil, {"Authorization: Name bad"}, {"Authorization: Name alice"}} {
		a := Send(t, v.addr, Request("GET", "/files/a%2Fb", header...))
		if a.Status != 400 || a.Header.Get("WWW-Authenticate") != "" || !strings.Contains(a.Body, core.CodeAmbiguousPath) {
			t.Errorf("%q: %d %v %s", header, a.Status, a.Header, a.Body)
		}
	}
	if r := v.take(); r != nil {
		t.Errorf("handlers ran: %v", r)
	}
}

// decodedParams checks that rules see each parameter decoded once, as in the canonical
// path, and that the handler acts on the same object: the framework's value is either the
// same or its encoded form.
func decodedParams(t *testing.T, f Framework) {
	var seen []string
	var native string
	policy := AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
		seen = append(seen, a.Request.Param("id"), a.Resource.Path)
		return core.Decision{Allowed: true}, nil
	})
	g, _ := guard(t, core.WithAuthorizer(policy))
	addr := f.Start(t, App{
		Use: []Gate{{Kind: "Optional", Guard: g}},
		Routes: []Route{{
			Pattern: "/things/:id", Methods: []string{"GET", "HEAD"},
			Gates: []Gate{{Kind: "Authorize", Guard: g}}, Handler: func(x Exchange) error {
				seen, native = append(seen, x.Request().Param("id")), strings.Clone(x.Param("id"))
				if err := x.Check(g, policy); err != nil {
					return err
				}
				return ok(x)
			},
		}},
	})
	for target, id := range map[string]string{
		"/things/plain":    "plain",
		"/things/a%20b":    "a b",
		"/things/a+b":      "a+b",
		"/things/%C3%A9":   "é",
		"/things/a%3ab%40": "a:b@",
		"/things/Mixed":    "Mixed",
		"/things/100%25":   "100%",
		"/things/%3F%23":   "?#",
		"/things/a%3B%3d":  "a;=",
	} {
		seen = nil
		if a := Send(t, addr, Request("GET", target, "Authorization: Name alice")); a.Status != 200 {
			t.Errorf("GET %s: %d %s", target, a.Status, a.Body)
		} else if path := "/things/" + id; !slices.Equal(seen, []string{id, path, id, id, path}) {
			t.Errorf("GET %s: gate, handler and check saw %q", target, seen)
		} else if decoded, err := url.PathUnescape(native); native != id && (err != nil || decoded != id) {
			t.Errorf("GET %s: the handler has %q of %q", target, native, id)
		}
	}
}

// guardedMethods checks that HEAD is decided like GET, that method overrides are ignored,
// and that methods outside RFC 9110 reach no handler.
func guardedMethods(t *testing.T, f Framework) {
	v := newVault(t, f)
	for _, c := range []struct {
		method, target, header string
		status                 int // 0: the framework may refuse it first
	}{
		{"HEAD", "/files/secret", "", 403},
		{"HEAD", "/files/public", "", 200},
		{"POST", "/files/secret", "X-HTTP-Method-Override: GET", 403},
		{"GET", "/files/secret?_method=PUT", "X-Method-Override: PUT", 403},
		{"get", "/files/public", "", 0},
		{"FOO", "/files/public", "", 0},
		{"TRACE", "/files/public", "", 0},
		{"PROPFIND", "/files/public", "", 0},
	} {
		header := []string{"Authorization: Name alice"}
		if c.header != "" {
			header = append(header, c.header)
		}
		a := Send(t, v.addr, Request(c.method, c.target, header...))
		if c.status != 0 && a.Status != c.status || a.Status < 400 && a.Status != c.status {
			t.Errorf("%s %s: %d", c.method, c.target, a.Status)
		}
		if c.method == "HEAD" && a.Body != "" {
			t.Errorf("HEAD %s has a body: %q", c.target, a.Body)
		}
		if r := v.take(); a.Status >= 400 && r != nil {
			t.Errorf("%s %s reached %v", c.method, c.target, r)
		}
		if c.header != "" && v.rec.Last(t).Method != c.method {
			t.Errorf("method %s was overridden to %s", c.method, v.rec.Last(t).Method)
		}
	}
}

// upgrades checks that a WebSocket or h2c upgrade is answered like any other request,
// before the protocol is switched.
func upgrades(t *testing.T, f Framework) {
	v := newVault(t, f)
	for _, upgrade := range []string{"websocket", "h2c"} {
		header := []string{"Connection: Upgrade", "Upgrade: " + upgrade, "HTTP2-Settings: AAMAAABkAAQAAP__", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}
		if a := Send(t, v.addr, Request("GET", "/files/public", header...)); a.Status != 401 {
			t.Errorf("anonymous upgrade to %s: %d", upgrade, a.Status)
		}
		if a := Send(t, v.addr, Request("GET", "/files/secret", append(header, "Authorization: Name alice")...)); a.Status != 403 {
			t.Errorf("refused upgrade to %s: %d", upgrade, a.Status)
		}
	}
	if r := v.take(); r != nil {
		t.Errorf("handlers ran: %v", r)
	}
}

// untrustedHeaders checks that a verdict depends neither on identity headers nor on the
// user agent, the host, or a proxy's claims about the path.
func untrustedHeaders(t *testing.T, f Framework) {
	v := newVault(t, f)
	for _, h := range []string{
		"X-User: alice", "X-Forwarded-User: alice", "X_Forwarded_User: alice", "Remote-User: alice",
		"X-Forwarded-Uri: /files/public", "X-Original-URL: /files/public", "X-Rewrite-URL: /files/public",
		"X-Forwarded-Prefix: /files", "User-Agent: kube-probe/1.0", "X-Middleware-Subrequest: 1",
		"Connection: Authorization",
	} {
		if a := Send(t, v.addr, Request("GET", "/files/public", h)); a.Status != 401 {
			t.Errorf("anonymous with %s: %d", h, a.Status)
		}
		if a := Send(t, v.addr, Request("GET", "/files/secret", h, "Authorization: Name alice")); a.Status != 403 {
			t.Errorf("alice with %s: %d", h, a.Status)
		}
	}
	for _, host := range []string{"app.example", "APP.example.", "app.example:8080", "127.0.0.1", "evil.example"} {
		req := "GET /files/secret HTTP/1.1\nHost: " + host + "\nAuthorization: Name alice"
		if a := Send(t, v.addr, req); a.Status != 403 {
			t.Errorf("host %s: %d", host, a.Status)
		}
	}
	if r := v.take(); r != nil {
		t.Errorf("handlers ran: %v", r)
	}
}

// trailers checks that fields after a chunked body are not merged into the header (RFC 9110
// §6.5.1): otherwise they would bypass a proxy that removes them from the header.
func trailers(t *testing.T, f Framework) {
	byField := &scripted{authenticate: func(r core.Request) (*core.Principal, error) {
		switch id, n := r.Header("Remote-User"); n {
		case 0:
			return nil, core.ErrNoCredentials
		case 1:
			return core.NewPrincipal(core.PrincipalInfo{ID: id})
		default:
			return nil, core.ErrAmbiguousCredentials
		}
	}}
	g, _ := guardOf(t, []core.Authenticator{byField})
	for _, kind := range []string{"Authenticate", "Optional"} {
		who := ""
		addr := f.Start(t, App{Routes: []Route{{Pattern: "/door", Gates: []Gate{{Kind: kind, Guard: g}}, Handler: func(x Exchange) error {
			who = "anonymous"
			if p := x.Principal(); p != nil {
				who = p.ID()
			}
			return ok(x)
		}}}})
		for _, header := range []string{"", "Remote-User: bob\n", "remote-user: bob\n"} {
			for _, announced := range []string{"", "Trailer: Remote-User\n"} {
				for _, chunks := range []string{"", "3\r\nabc\r\n"} {
					for _, trailer := range []string{"", "Remote-User: alice\r\n", "remote-user: alice\r\n"} {
						who = ""
						a := Send(t, addr, "POST /door HTTP/1.1\nHost: app.example\nTransfer-Encoding: chunked\n"+header+announced+"\n"+chunks+"0\r\n"+trailer+"\r\n")
						if who == "alice" || trailer == "" && header != "" && (who != "bob" || a.Status != 200) {
							t.Errorf("%s, %q%q, %q behind %q: %d, the handler ran for %q", kind, header, announced, trailer, chunks, a.Status, who)
						}
					}
				}
			}
		}
	}
}

// matchedRoute checks what policies see, wherever the gate is mounted.
func matchedRoute(t *testing.T, f Framework) {
	g, rec := guard(t, core.WithAuthorizer(AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
		return core.Decision{Allowed: true}, nil
	})))
	gate := []Gate{{Kind: "Authorize", Guard: g}}
	get := []string{"GET", "HEAD"}
	for _, at := range []struct {
		name string
		app  App
	}{
		{"route", App{Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, Gates: gate, Handler: ok}}}},
		{"group", App{Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, GroupGates: gate, Handler: ok}}}},
		{"mounted", App{Routes: []Route{{Group: "/api", Mounted: true, Pattern: "/things/:id", Methods: get, GroupGates: gate, Handler: ok}}}},
		{"app", App{Use: gate, Routes: []Route{{Group: "/api", Pattern: "/things/:id", Methods: get, Handler: ok}}}},
	} {
		t.Run(at.name, func(t *testing.T) {
			addr := f.Start(t, at.app)
			a := Send(t, addr, Request("GET", "/api/things/A%20b?q=1", "Authorization: Name alice"))
			if a.Status != 200 {
				t.Fatalf("status %d: %s", a.Status, a.Body)
			}
			e := rec.Last(t)
			if e.Resource != "/api/things/A b" {
				t.Errorf("resource %q", e.Resource)
			}
			want := f.pattern("/api/things/:id")
			if at.name == "app" && f.RoutesBehindUse {
				want = ""
			}
			if e.Route != want {
				t.Errorf("route %q, want %q", e.Route, want)
			}
		})
	}
}
