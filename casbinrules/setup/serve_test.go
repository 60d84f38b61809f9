package setup

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const serving = minimal + `
proxies: {trusted: 127.0.0.1/32}
serve: {proxy: PROXY, preflights: true}
`

// question is a request of the proxy at an address.
func question(t *testing.T, h http.Handler, peer, path string, fields ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = peer + ":1234"
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// TestHandler: each proxy asks in its way, and gets the verdict and the user.
func TestHandler(t *testing.T) {
	t.Parallel()
	forwarded := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/reports", "X-Forwarded-Host", "app.example"}
	for proxy, c := range map[string]struct {
		path   string
		fields []string
	}{
		"nginx":   {"/check", []string{"X-Original-Method", "GET", "X-Original-URI", "/reports"}},
		"traefik": {"/check", forwarded},
		"caddy":   {"/check", forwarded},
		"haproxy": {"/check", forwarded},
		"envoy":   {"/check/reports", nil},
	} {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			s := open(t, strings.Replace(serving, "PROXY", proxy, 1))
			h, err := s.Handler()
			if err != nil {
				t.Fatal(err)
			}
			if s.Address() != "127.0.0.1:8080" {
				t.Errorf("address %q", s.Address())
			}
			for user, want := range map[string]int{"erin": 200, "mallory": 403, "": 401} {
				fields := c.fields
				if user != "" {
					fields = append(bearerOf(token(t, user, nil)), fields...)
				}
				got := question(t, h, "127.0.0.1", c.path, fields...)
				if got.StatusCode != want {
					t.Errorf("%q: %d, want %d", user, got.StatusCode, want)
				}
				if got := got.Header.Get("X-Auth-User"); user == "erin" && got != "erin" {
					t.Errorf("X-Auth-User: %q", got)
				}
			}
			if got := question(t, h, "192.0.2.1", c.path, c.fields...).StatusCode; got != 404 {
				t.Errorf("a peer that is no proxy: %d, want 404", got)
			}
			if got := question(t, h, "192.0.2.1", "/healthz").StatusCode; got != 204 {
				t.Errorf("/healthz: %d, want 204", got)
			}
			for method, want := range map[string]int{"HEAD": 204, "POST": 405} {
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, httptest.NewRequest(method, "/healthz", nil)); w.Code != want {
					t.Errorf("%s /healthz: %d, want %d", method, w.Code, want)
				}
			}
		})
	}
}

// TestHandlerOfEnvoy judges the target as it was sent, which no mux in between
// has cleaned.
func TestHandlerOfEnvoy(t *testing.T) {
	t.Parallel()
	h, err := open(t, strings.Replace(serving, "PROXY", "envoy", 1)).Handler()
	if err != nil {
		t.Fatal(err)
	}
	erin := bearerOf(token(t, "erin", nil))
	for path, want := range map[string]int{
		"/check/reports": 200, "/check//reports": 400, "/check/reports/../reports": 400, "/check/x%2f..%2freports": 400,
		"/checkreports": 404, "/other": 404,
	} {
		if got := question(t, h, "127.0.0.1", path, erin...).StatusCode; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// TestNoHandler: what serving needs is said.
func TestNoHandler(t *testing.T) {
	t.Parallel()
	if _, err := open(t, minimal).Handler(); err == nil || !strings.Contains(err.Error(), "no section serve") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{
		minimal + "serve: {proxy: nginx}\n": ":10:1: serve: proxies is missing",
		"realm: a\nbasic: {htpasswd: users.htpasswd}\nserve: {proxy: nginx}\nproxies: {trusted: 10.0.0.0/8}\n": ":3:1: serve: policy is missing",
		minimal + "serve: {proxy: apache}\n":        `:10:16: serve.proxy: "apache": not one of nginx, caddy, traefik, haproxy, envoy`,
		minimal + "serve: {}\n":                     ":10:1: serve: proxy is missing",
		minimal + "proxies: {trusted: 0.0.0.0/0}\n": ":10:",
		minimal + "proxies: {trusted: 10.0.0.1}\n":  `:10:20: proxies.trusted: "10.0.0.1": not a network such as 10.0.0.0/8`,
	} {
		path := configFile(t, text)
		_, err := Open(path, quiet())
		if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), path), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
