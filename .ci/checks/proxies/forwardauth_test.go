package proxies_test

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/proxy"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// upstream is an application that knows nothing of access, and remembers what
// it got.
type upstream struct {
	addr string
	mu   sync.Mutex
	got  []*http.Request
}

func newUpstream(t testing.TB) *upstream {
	u := new(upstream)
	u.addr = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.got = append(u.got, r)
		_, _ = w.Write([]byte("from upstream"))
	}))
	return u
}

// take is what has come since the last time.
func (u *upstream) take() []*http.Request {
	u.mu.Lock()
	defer u.mu.Unlock()
	got := u.got
	u.got = nil
	return got
}

// asker is a proxy that asks a guard, configured as in docs/proxies.md.
type asker struct {
	language string
	proxy    forwardauth.Proxy
	start    func(t *testing.T, configuration string) string
	// internal are paths of the proxy's own that no client may ask for.
	internal []string
}

var (
	nginx  = asker{"nginx", forwardauth.Nginx(), startNginx, []string{"/_check", "/_refusal", "/%5fcheck", "//_refusal"}}
	askers = []asker{
		nginx, {"caddy", forwardauth.Caddy(), startCaddy, nil}, {"haproxy", forwardauth.HAProxy(), startHAProxy, nil},
	}
)

// guarded is an upstream behind a proxy that asks a service, and a gate of the
// same guard that is asked without a proxy.
type guarded struct {
	*upstream
	by                       asker
	site                     *site
	events                   *authtest.Recorder
	addr, service, reference string
}

// newGuarded has the service on a framework. pairs change the configuration.
func newGuarded(t *testing.T, a asker, start func(testing.TB, []page) string, pairs ...string) *guarded {
	t.Helper()
	g := &guarded{upstream: newUpstream(t), by: a, events: new(authtest.Recorder)}
	g.site = newSite(t, core.WithObserver(g.events))
	trusted, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	if err != nil {
		t.Fatal(err)
	}
	gate, err := g.site.guard.Authorize()
	if err != nil {
		t.Fatal(err)
	}
	asked, err := forwardauth.New(gate, trusted, a.proxy)
	if err != nil {
		t.Fatal(err)
	}
	g.service = start(t, []page{{path: "/check", serve: asked.Check}, {path: "/refusal", serve: asked.Refusal}})
	g.reference = start(t, g.site.pages())
	pairs = append(pairs, "127.0.0.1:8080", g.service, "127.0.0.1:9000", g.upstream.addr)
	g.addr = a.start(t, documented(t, a.language, "forwardauth", pairs...))
	return g
}

// TestForwardAuth: what passes reaches the application with an identity, and
// what does not is answered as a gate in the application would.
func TestForwardAuth(t *testing.T) {
	for _, by := range askers {
		for name, start := range frameworks {
			t.Run(by.language+"/"+name, func(t *testing.T) { testForwardAuth(t, newGuarded(t, by, start)) })
		}
	}
}

func testForwardAuth(t *testing.T, g *guarded) {
	for scheme, line := range g.site.credentials(t, g.reference, "alice") {
		for _, method := range []string{"GET", "POST", "DELETE", "HEAD"} {
			a := ask(t, g.addr, method, "/report?x=1", line, "Content-Length: 2\n\nhi")
			got := g.take()
			if a.Status != 200 || len(got) != 1 || method != "HEAD" && a.Body != "from upstream" {
				t.Errorf("%s by %s: %d, %d requests passed on", method, scheme, a.Status, len(got))
				continue
			}
			if r := got[0]; r.Method != method || r.RequestURI != "/report?x=1" || !slices.Equal(r.Header.Values("X-Auth-User"), []string{"alice"}) {
				t.Errorf("the application gets %s %s for %q", r.Method, r.RequestURI, r.Header.Values("X-Auth-User"))
			}
			if e := g.events.Last(t); e.Method != method || e.Resource != "/report" {
				t.Errorf("judged %s %s", e.Method, e.Resource)
			}
		}
	}
	for _, method := range []string{"GET", "HEAD", "POST"} {
		g.refusals(t, method)
	}
	if got := g.take(); len(got) > 0 {
		t.Errorf("%d refused requests were passed on", len(got))
	}
}

func (g *guarded) refusals(t *testing.T, method string) {
	t.Helper()
	for _, d := range []struct {
		target, line string
		status       int
	}{
		{"/report", "Accept: */*", 401},
		{"/report", "Accept: text/plain", 401},
		{"/report", "Authorization: Bearer expired", 401},
		{"/report", "Authorization: Basic bG9ja2VkOmE=", 429},
		{"/report", "Authorization: Bearer down", 503},
		{"/report", "X-API-Key: sp_a.b\nX-API-Key: sp_c.d", 400},
		{"/admin", "Authorization: Bearer alice", 403},
	} {
		want := ask(t, g.reference, method, d.target, d.line, "Content-Length: 0")
		if want.Status != d.status {
			t.Fatalf("%s, %s: the gate answers %d, want %d", d.target, d.line, want.Status, d.status)
		}
		got := ask(t, g.addr, method, d.target, d.line, "Content-Length: 0")
		if diff := difference(got, want); diff != "" {
			t.Errorf("%s %s, %s: %s", method, d.target, d.line, diff)
		}
	}
}

// TestForwardAuthOutage: where nobody can be asked, the client waits.
func TestForwardAuthOutage(t *testing.T) {
	t.Parallel()
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) {
			t.Parallel()
			nobody, u := programs.Unused(t), newUpstream(t)
			addr := by.start(t, documented(t, by.language, "forwardauth", "127.0.0.1:8080", nobody, "127.0.0.1:9000", u.addr))
			a := ask(t, addr, "GET", "/report", "Authorization: Bearer alice")
			if a.Status != 503 || a.Header.Get("Retry-After") != "5" || a.Header.Get("Cache-Control") != "no-store" || len(u.take()) > 0 {
				t.Errorf("%d %v", a.Status, a.Header)
			}
		})
	}
}

// TestForwardAuthPlainly: without error_page nginx makes something else of
// refusals, but never lets one pass and never makes one of an outage.
func TestForwardAuthPlainly(t *testing.T) {
	g := newGuarded(t, nginx, frameworks["net_http"], "error_page 401 403 500 = /_refusal;", "")
	for line, want := range map[string]int{
		"Accept: */*": 401, "Authorization: Bearer down": 500, "Authorization: Basic bG9ja2VkOmE=": 403,
	} {
		a := ask(t, g.addr, "GET", "/report", line)
		if a.Status != want || a.Header.Get("WWW-Authenticate") != "" || len(g.take()) > 0 {
			t.Errorf("%s: %d, want %d; %v", line, a.Status, want, a.Header)
		}
	}
}

// TestForwardAuthForStrangers: G18. The service is there for nginx alone, and
// what nginx asks with is nginx's.
func TestForwardAuthForStrangers(t *testing.T) {
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) { testForwardAuthForStrangers(t, newGuarded(t, by, frameworks["net_http"])) })
	}
}

func testForwardAuthForStrangers(t *testing.T, g *guarded) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 3)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	for _, target := range []string{"/check", "/refusal"} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+g.service+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Authorization": "Bearer root", "X-Original-Method": "GET", "X-Original-URI": "/report", "X-Forwarded-For": "127.0.0.1",
		} {
			r.Header.Set(name, value)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 404 || resp.Header.Get("X-Auth-User") != "" {
			t.Errorf("%s: %d %v", target, resp.StatusCode, resp.Header)
		}
	}
	for _, lines := range [][]string{
		{"X-Original-URI: /report"}, {"x-original-uri: /report", "X-ORIGINAL-METHOD: GET"}, {"X_Original_URI: /report"},
		{"X-Forwarded-Uri: /report", "X-Rewrite-URL: /report"}, {"Connection: X-Original-URI", "X-Original-URI: /report"},
	} {
		a := ask(t, g.addr, "DELETE", "/admin", append(lines, "Authorization: Bearer alice")...)
		if a.Status != 403 || g.events.Last(t).Resource != "/admin" || g.events.Last(t).Method != "DELETE" || len(g.take()) > 0 {
			t.Errorf("%q: %d", lines, a.Status)
		}
	}
	for _, target := range g.by.internal {
		a := ask(t, g.addr, "GET", target, "Authorization: Bearer root", forwardauth.AnswerField+": AAAA", "X-Original-URI: /report")
		if a.Status < 400 || len(g.take()) > 0 {
			t.Errorf("%s: %d %q", target, a.Status, a.Body)
		}
	}
}

// TestForgedIdentity: G18.
func TestForgedIdentity(t *testing.T) {
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) { testForgedIdentity(t, newGuarded(t, by, frameworks["net_http"])) })
	}
}

func testForgedIdentity(t *testing.T, g *guarded) {
	for _, name := range []string{"X-Auth-User", "x-auth-user", "X-AUTH-USER", "X_Auth_User", "X-Auth_User", "X.Auth.User", "X-Auth-Roles", "X-Auth-Tenant", "X_AUTH_ROLES"} {
		forged := name + ": root"
		for _, lines := range [][]string{
			{forged}, {forged, forged}, {"Connection: " + name, forged}, {"Connection: close, " + name, forged}, {"TE: trailers", "Trailer: " + name, forged},
		} {
			a := ask(t, g.addr, "GET", "/report", append(lines, "Authorization: Bearer alice")...)
			got := g.take()
			if a.Status != 200 || len(got) != 1 {
				t.Errorf("%q: %d, %d passed on", lines, a.Status, len(got))
				continue
			}
			if user := got[0].Header.Values("X-Auth-User"); !slices.Equal(user, []string{"alice"}) {
				t.Errorf("%q: the application gets X-Auth-User %q", lines, user)
			}
			for field, values := range got[0].Header {
				letters := strings.Map(func(r rune) rune {
					if strings.ContainsRune("-_.", r) {
						return -1
					}
					return r
				}, strings.ToLower(field))
				// An empty field has overwritten what the client sent.
				if strings.HasPrefix(letters, "xauth") && field != "X-Auth-User" && strings.Join(values, "") != "" {
					t.Errorf("%q: the application gets %s %q", lines, field, values)
				}
			}
			if c := strings.ToLower(got[0].Header.Get("Connection")); strings.Contains(c, "auth") {
				t.Errorf("%q: Connection %q is passed on", lines, c)
			}
		}
	}
	if a := ask(t, g.addr, "GET", "/report", "X-Auth-User : root", "Authorization: Bearer alice"); a.Status != 400 || len(g.take()) > 0 {
		t.Errorf("a space before the colon: %d", a.Status)
	}
	if a := ask(t, g.addr, "GET", "/report", "X-Auth-User: root"); a.Status != 401 || len(g.take()) > 0 {
		t.Errorf("an identity alone: %d", a.Status)
	}
}

// spellings are targets for which proxies and applications have ideas of their
// own.
var spellings = []string{
	"/report", "/report/", "/report?x=/../admin", "/report?", "/a%20b", "/%72eport", "/REPORT", "/a+b", "/%C3%A4", "/...", "/a.b/..c",
	"//reports", "/%2572eports", "/admin", "/admin/", "//admin", "/admin//x", "/./admin", "/a/../admin", "/a/%2e%2e/admin", "/a/%2E./admin",
	"/a%2f..%2fadmin", "/a/..%2fadmin", "/admin%2fx", "/a%5c..%5cadmin", `/a\..\admin`, "/a/..;/admin", "/a;/../admin", "/admin;x=1", "/admin%3bx",
	"/a/%252e%252e/admin", "/%61dmin", "/%61dmin/x", "/admin%00", "/admin%20", "/admin%0a", "/admin%", "/admin#x", "/#/../admin", "/a?b#/../admin",
	"http://evil.example/admin", "http://evil.example/report", "/admin/.", "/admin/..", "/..", "/../admin", "/%2fadmin", "/a/.%2e/admin",
}

// readings are what applications may find in a path that reached them.
func readings(target string) []string {
	raw, _, _ := strings.Cut(target, "?")
	raw, _, _ = strings.Cut(raw, "#")
	decoded, err := url.PathUnescape(raw)
	if err != nil {
		decoded = raw
	}
	twice, err := url.PathUnescape(decoded)
	if err != nil {
		twice = decoded
	}
	var out []string
	for _, p := range []string{raw, decoded, twice, strings.ReplaceAll(decoded, `\`, "/")} {
		var segments []string
		for s := range strings.SplitSeq(p, "/") {
			s, _, _ = strings.Cut(s, ";")
			segments = append(segments, s)
		}
		out = append(out, path.Clean(p), path.Clean("/"+strings.Join(segments, "/")))
	}
	return out
}

// unlike says how what an application got differs from what was judged, or "".
func unlike(r *http.Request, e core.Event) string {
	raw, _, _ := strings.Cut(r.RequestURI, "?")
	judged, err := adapter.CanonicalPath(core.Route{Path: raw, Escaped: true})
	if err != nil || judged != e.Resource {
		return "judged " + e.Resource + ", passed on " + r.RequestURI
	}
	return ""
}

// TestForwardAuthPaths: G10. What the application gets is what was judged, and
// in no reading what alice may not have.
func TestForwardAuthPaths(t *testing.T) {
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) { testForwardAuthPaths(t, newGuarded(t, by, frameworks["net_http"])) })
	}
}

func testForwardAuthPaths(t *testing.T, g *guarded) {
	passed := 0
	for _, target := range spellings {
		a := ask(t, g.addr, "GET", target, "Authorization: Bearer alice")
		got := g.take()
		if (a.Status == 200) != (len(got) == 1) || a.Status != 200 && a.Status != 403 && a.Status != 400 {
			t.Errorf("%s: %d, %d passed on", target, a.Status, len(got))
		}
		for _, r := range got {
			passed++
			if diff := unlike(r, g.events.Last(t)); diff != "" {
				t.Errorf("%s: %s", target, diff)
			}
			for _, reading := range readings(r.RequestURI) {
				if reading == "/admin" || strings.HasPrefix(reading, "/admin/") {
					t.Errorf("%s reached the application as %s, which can be read as %s", target, r.RequestURI, reading)
				}
			}
		}
	}
	if passed < 10 {
		t.Errorf("%d passed: the other cases show little", passed)
	}
}

// TestForwardAuthWithURI: with $uri in place of $request_uri one path is judged
// and another one passed on.
func TestForwardAuthWithURI(t *testing.T) {
	g := newGuarded(t, nginx, frameworks["net_http"], "X-Original-URI $request_uri", "X-Original-URI $uri")
	for _, target := range []string{"//reports", "/%2572eports"} {
		a := ask(t, g.addr, "GET", target, "Authorization: Bearer alice")
		got := g.take()
		if a.Status != 200 || len(got) != 1 || unlike(got[0], g.events.Last(t)) == "" {
			t.Errorf("%s: %d; docs/proxies.md says that this goes wrong", target, a.Status)
		}
	}
}

// TestHAProxyScriptThatFails: HAProxy passes on what a script has failed at. The
// documented line behind the script keeps that from the application, and a server
// that is not a guard cannot let anything pass.
func TestHAProxyScriptThatFails(t *testing.T) {
	t.Parallel()
	script := documented(t, "lua", "forwardauth")
	const call = "core.httpclient():get("
	if !strings.Contains(script, call) {
		t.Fatalf("the script has no %q", call)
	}
	elsewhere := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Auth-Roles", "admin")
		_, _ = w.Write([]byte("welcome"))
	}))
	for name, lua := range map[string]string{
		"it fails":        strings.Replace(script, call, "nothing:get(", 1),
		"it does nothing": strings.Replace(script, "local headers = {}", "do return end local headers = {}", 1),
		"another server":  script,
	} {
		u := newUpstream(t)
		addr := startHAProxyWith(t, documented(t, "haproxy", "forwardauth", "127.0.0.1:8080", elsewhere, "127.0.0.1:9000", u.addr), lua)
		a := ask(t, addr, "GET", "/report", "Authorization: Bearer alice")
		if a.Status != 503 || a.Header.Get("Retry-After") != "5" || a.Header.Get("Cache-Control") != "no-store" || len(u.take()) > 0 {
			t.Errorf("%s: %d %v, want 503", name, a.Status, a.Header)
		}
	}
}
