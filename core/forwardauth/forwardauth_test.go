package forwardauth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/proxy"
)

const peer = "10.0.0.7:41000"

func trusted(t testing.TB) *proxy.Trust {
	t.Helper()
	p, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// policy allows alice everywhere but below /secret, and whoever is admin there.
func policy(p *core.Principal, a core.Access) (core.Decision, error) {
	if p.ID() == "broken" {
		return core.Decision{}, errors.New("the policy store is down")
	}
	path := a.Resource.Path
	secret := path == "/secret" || strings.HasPrefix(path, "/secret/")
	return core.Decision{Allowed: p.HasRole("admin") || p.ID() == "alice" && !secret}, nil
}

// service is a service whose guard lets policy decide.
func service(t testing.TB, p forwardauth.Proxy, opts ...forwardauth.Option) (*forwardauth.Service, *authtest.Recorder) {
	t.Helper()
	return serviceOf(t, p, nil, opts...)
}

func serviceOf(t testing.TB, p forwardauth.Proxy, guardOptions []core.Option, opts ...forwardauth.Option) (*forwardauth.Service, *authtest.Recorder) {
	t.Helper()
	rec := new(authtest.Recorder)
	guard, err := core.NewGuard([]core.Authenticator{authtest.Names{}},
		append(guardOptions, core.WithAuthorizer(authtest.AuthorizerFunc(policy)), core.WithObserver(rec))...)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := guard.Authorize()
	if err != nil {
		t.Fatal(err)
	}
	s, err := forwardauth.New(gate, trusted(t), p, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s, rec
}

// asks is what a proxy of that kind sends to ask about a request.
func asks(p string, method, target string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "http://auth.internal/check", nil)
	switch p {
	case "nginx":
		r.Host = "app.example"
		r.Header.Set("X-Original-Method", method)
		r.Header.Set("X-Original-Uri", target)
	case "traefik":
		r.Header.Set("X-Forwarded-Method", method)
		r.Header.Set("X-Forwarded-Uri", target)
		r.Header.Set("X-Forwarded-Host", "app.example")
	case "envoy":
		r.Method, r.Host, r.RequestURI = method, "app.example", "/check"+target
		r.URL = &url.URL{Path: "/another/path/than/RequestURI"}
	}
	r.RemoteAddr = peer
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

var proxies = map[string]forwardauth.Proxy{
	"nginx": forwardauth.Nginx(), "traefik": forwardauth.Traefik(), "envoy": forwardauth.Envoy("/check"),
}

// send lets e answer r as an adapter would.
func send(e core.Endpoint, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	httpauth.Serve(e).ServeHTTP(w, r)
	return w
}

const alice, bob, nobody = "Authorization: Name alice", "Authorization: Name bob", "Accept: */*"

// TestTheOriginalRequestIsJudged: G10.
func TestTheOriginalRequestIsJudged(t *testing.T) {
	for name, p := range proxies {
		t.Run(name, func(t *testing.T) {
			s, rec := service(t, p)
			for _, c := range []struct {
				method, target, who string
				status              int
				path                string
			}{
				{"GET", "/reports/7", alice, 200, "/reports/7"},
				{"DELETE", "/reports/7?all=1", alice, 200, "/reports/7"},
				{"GET", "/", alice, 200, "/"},
				{"GET", "/reports/7/", alice, 200, "/reports/7"},
				{"GET", "/%73ecret/x", alice, 403, "/secret/x"},
				{"GET", "/secret", alice, 403, "/secret"},
				{"GET", "/reports/7", bob, 403, "/reports/7"},
				{"GET", "/reports/7", nobody, 401, "/reports/7"},
				{"GET", "/reports/7", "Authorization: Name bad", 401, "/reports/7"},
				{"GET", "/reports/7", "Authorization: Name down", 503, "/reports/7"},
				{"GET", "/reports/7", "Authorization: Name panic", 500, "/reports/7"},
				{"GET", "/reports/7", "Authorization: Name broken", 503, "/reports/7"},
				{"get", "/reports/7", alice, 403, "/reports/7"},
				{"BREW", "/reports/7", alice, 403, "/reports/7"},
			} {
				w := send(s.Check, asks(name, c.method, c.target, c.who))
				e := rec.Last(t)
				if w.Code != c.status || e.Method != c.method || e.Resource != c.path || e.Route != "" {
					t.Errorf("%s %s, %s: %d, want %d; judged %s %q, want %q", c.method, c.target, c.who, w.Code, c.status, e.Method, e.Resource, c.path)
				}
				if got := w.Header().Values("Cache-Control"); !reflect.DeepEqual(got, []string{"no-store"}) {
					t.Errorf("%s %s, %s: Cache-Control %q", c.method, c.target, c.who, got)
				}
			}
		})
	}
}

// TestOddTargets: what could be read two ways is refused before anybody is
// asked for credentials.
func TestOddTargets(t *testing.T) {
	targets := []string{
		"//secret", "/a//b", "/a/../secret", "/a/%2e%2e/secret", "/a/%2E./secret", "/a%2fb", "/a%5Cb", `/a\b`, "/%2573ecret",
		"/a%", "/a%zz", "/a%00", "/a\x00b", "/a b", "/a\tb", "/a\x7fb", "/secret#x", "*", "secret", "http://app.example/secret",
		"?x=1", "/a?x=\x7f", "/%ff", "/a?x=a b", "/a/..;/secret", "/secret;x", "/a%3Bb", "/a%3bb",
	}
	for name, p := range proxies {
		s, rec := service(t, p)
		for _, target := range targets {
			r := asks(name, "GET", target, alice)
			want := http.StatusBadRequest
			if name == "nginx" {
				want = http.StatusForbidden
			}
			if w := send(s.Check, r); w.Code != want || rec.Last(t).Reason != core.ReasonAmbiguousPath {
				t.Errorf("%s, %q: %d, %s", name, target, w.Code, rec.Last(t).Reason)
			}
		}
	}
}

// TestSemicolons are let through where an option says so, as part of their
// segment (RFC 3986 §3.3), and always in a query.
func TestSemicolons(t *testing.T) {
	s, rec := service(t, forwardauth.Nginx(), forwardauth.WithSemicolons())
	if w := send(s.Check, asks("nginx", "GET", "/a;x=1/b%3Bc", alice)); w.Code != 200 || rec.Last(t).Resource != "/a;x=1/b;c" {
		t.Errorf("allowed: %d, judged %q", w.Code, rec.Last(t).Resource)
	}
	s, _ = service(t, forwardauth.Nginx())
	if w := send(s.Check, asks("nginx", "GET", "/a?x=1;y=2", alice)); w.Code != 200 {
		t.Errorf("in a query: %d", w.Code)
	}
}

// TestStrangersGetNothing: G10, G18. Nothing that a client says of a request
// counts, and no gate is asked.
func TestStrangersGetNothing(t *testing.T) {
	for name, p := range proxies {
		var log bytes.Buffer
		s, rec := service(t, p, forwardauth.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		for _, remote := range []string{"192.0.2.1:80", "[2001:db8::1]:80", "@", "", "10.0.0.7.example:80"} {
			r := asks(name, "GET", "/open", alice, "X-Forwarded-For: 10.0.0.7")
			r.RemoteAddr = remote
			for _, e := range []core.Endpoint{s.Check, s.Refusal} {
				if w := send(e, r); w.Code != 404 || w.Body.Len() > 0 || w.Header().Get("X-Auth-User") != "" || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s, %q: %d %v", name, remote, w.Code, w.Header())
				}
			}
		}
		if n := len(rec.Events()); n > 0 {
			t.Errorf("%s: %d events", name, n)
		}
		if !strings.Contains(log.String(), "not a trusted proxy (proxies.trusted)") || !strings.Contains(log.String(), "peer=192.0.2.1\n") || !strings.Contains(log.String(), "peer=2001:db8::1\n") || strings.Contains(log.String(), "alice") {
			t.Errorf("%s: log %s", name, log.String())
		}
	}
}

// With pseudonyms in events the log lines have those of the same addresses.
func TestStrangersAreLoggedAsPseudonyms(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 32)
	names, err := core.NewPseudonyms(key)
	if err != nil {
		t.Fatal(err)
	}
	for remote, addr := range map[string]string{"192.0.2.1:80": "192.0.2.1", "[::ffff:192.0.2.1]:80": "192.0.2.1", "[fe80::1%eth0]:80": "fe80::1", "erin.example:80": "erin.example", "@erin": "@erin"} {
		var log bytes.Buffer
		s, _ := serviceOf(t, proxies["nginx"], []core.Option{core.WithPseudonyms(key)}, forwardauth.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		r := asks("nginx", "GET", "/open", alice)
		r.RemoteAddr = remote
		send(s.Check, r)
		if !strings.Contains(log.String(), "peer="+names.Of(addr)+"\n") || strings.Contains(log.String(), addr) {
			t.Errorf("%s: %s", remote, log.String())
		}
	}
}

// TestProxiesThatSayTooLittle are misconfigured: 500, with the cause for
// observers alone.
func TestProxiesThatSayTooLittle(t *testing.T) {
	for cause, c := range map[string]struct {
		proxy  string
		change func(*http.Request)
	}{
		"0 lines of X-Original-URI, want one that is not empty: configure nginx to set it or, if another proxy asks, name that one here (serve.proxy)": {"nginx", func(r *http.Request) { r.Header.Del("X-Original-URI") }},
		"0 lines of X-Original-Method":  {"nginx", func(r *http.Request) { r.Header.Del("X-Original-Method") }},
		"2 lines of X-Original-URI":     {"nginx", func(r *http.Request) { r.Header.Add("X-Original-URI", "/secret") }},
		"2 lines of X-Original-Method":  {"nginx", func(r *http.Request) { r.Header.Add("X-Original-Method", "PUT") }},
		"1 lines of X-Original-URI":     {"nginx", func(r *http.Request) { r.Header.Set("X-Original-URI", "") }},
		"0 lines of X-Forwarded-Uri":    {"traefik", func(r *http.Request) { r.Header.Del("X-Forwarded-Uri") }},
		"0 lines of X-Forwarded-Method": {"traefik", func(r *http.Request) { r.Header.Del("X-Forwarded-Method") }},
		"2 lines of X-Forwarded-Host":   {"traefik", func(r *http.Request) { r.Header.Add("X-Forwarded-Host", "evil.example") }},
		`is not below "/check"`:         {"envoy", func(r *http.Request) { r.RequestURI = "/other/x" }},
	} {
		s, rec := service(t, proxies[c.proxy])
		r := asks(c.proxy, "GET", "/open", alice)
		c.change(r)
		w := send(s.Check, r)
		e := rec.Last(t)
		if w.Code != 500 || e.Cause == nil || !strings.Contains(e.Cause.Error(), cause) || strings.Contains(w.Body.String(), "X-") {
			t.Errorf("%s: %d, cause %v", cause, w.Code, e.Cause)
		}
	}
	for name, p := range map[string]forwardauth.Proxy{"caddy": forwardauth.Caddy(), "haproxy": forwardauth.HAProxy()} {
		s, rec := service(t, p)
		send(s.Check, asks("nginx", "GET", "/open", alice))
		if e := rec.Last(t); e.Cause == nil || !strings.Contains(e.Cause.Error(), "configure "+name) {
			t.Errorf("%s: cause %v", name, e.Cause)
		}
	}
}

// TestPreflights end at the service unless they are let through, and never with
// an identity.
func TestPreflights(t *testing.T) {
	lines := []string{"Origin: https://app.example", "Access-Control-Request-Method: DELETE", alice}
	cors := []core.Option{core.WithCORS("https://app.example")}
	for name, p := range proxies {
		s, _ := serviceOf(t, p, cors)
		w := send(s.Check, asks(name, "OPTIONS", "/open", lines...))
		if w.Code != 403 || w.Header().Get("X-Auth-User") != "" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
		if name == "nginx" {
			w = send(s.Refusal, carries(w.Header().Get(forwardauth.AnswerField)))
			if w.Code != 204 || w.Header().Get("Access-Control-Allow-Methods") != "DELETE" {
				t.Errorf("the client of nginx gets %d %v", w.Code, w.Header())
			}
		}
		s, _ = serviceOf(t, p, cors, forwardauth.WithPreflights())
		w = send(s.Check, asks(name, "OPTIONS", "/open", lines...))
		if user, ok := w.Header()["X-Auth-User"]; w.Code != 200 || !ok || user[0] != "" {
			t.Errorf("%s, let through: %d %v", name, w.Code, w.Header())
		}
		if w = send(s.Check, asks(name, "OPTIONS", "/open")); w.Code != 401 {
			t.Errorf("%s: OPTIONS that is no preflight: %d", name, w.Code)
		}
	}
}

// TestAGateBeforeTheServiceProvesNothing: it has judged a GET of the proxy's, and
// the request asked about is a form of another site.
func TestAGateBeforeTheServiceProvesNothing(t *testing.T) {
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	anybody, err := basic.New("reports", basic.VerifierFunc(func(context.Context, string, string) (*core.Principal, error) { return p, nil }))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{anybody}, core.WithObserver(new(authtest.Recorder)))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := guard.Authenticate()
	if err != nil {
		t.Fatal(err)
	}
	s, err := forwardauth.New(gate, trusted(t), forwardauth.Nginx())
	if err != nil {
		t.Fatal(err)
	}
	h := httpauth.Authenticate(guard)(httpauth.Serve(s.Check))
	for method, want := range map[string]int{"GET": 200, "POST": 403} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, asks("nginx", method, "/open", "Authorization: Basic YTpi", "Origin: https://evil.example"))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", method, w.Code, want)
		}
	}
	s, err = forwardauth.New(gate, trusted(t), forwardauth.Nginx(), forwardauth.WithPreflights())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	httpauth.Authenticate(guard)(httpauth.Serve(s.Check)).ServeHTTP(w, asks("nginx", "OPTIONS", "/open", "Authorization: Basic YTpi",
		"Origin: https://app.example", "Access-Control-Request-Method: PUT"))
	if w.Code != 200 || w.Header().Get("X-Auth-User") != "" {
		t.Errorf("a preflight: %d %v", w.Code, w.Header())
	}
	// Origin is compared with the original host and scheme.
	for _, c := range []struct {
		proxy, origin, proto string
		want                 int
	}{
		{"nginx", "https://app.example", "https", 200},
		{"nginx", "http://app.example", "https", 403},
		{"nginx", "http://app.example", "http", 200},
		{"nginx", "https://auth.internal", "https", 403},
		{"traefik", "https://app.example", "https", 200},
		{"traefik", "https://auth.internal", "https", 403},
		{"envoy", "http://app.example", "https", 403},
	} {
		s, err := forwardauth.New(gate, trusted(t), proxies[c.proxy])
		if err != nil {
			t.Fatal(err)
		}
		r := asks(c.proxy, "POST", "/open", "Authorization: Basic YTpi", "Origin: "+c.origin, "X-Forwarded-Proto: "+c.proto)
		if w := send(s.Check, r); w.Code != c.want {
			t.Errorf("%s, %s over %s: %d, want %d", c.proxy, c.origin, c.proto, w.Code, c.want)
		}
	}
}
