package proxies_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// cached is an app and a cache in front of it.
type cached struct {
	*site
	app, addr string
}

// TestCache: A20 and A21 with nginx that keeps whatever it may.
func TestCache(t *testing.T) {
	for name, start := range frameworks {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			app := start(t, s.pages())
			c := &cached{s, app, startNginx(t, documented(t, "nginx", "cache", "127.0.0.1:8080", app))}
			t.Run("public pages are kept", c.public)
			t.Run("denials are passed on as they are and not kept", c.denials)
			t.Run("what one is answered is served to nobody else", c.users)
			t.Run("and to nobody once the token is over", c.ended)
			t.Run("HEAD and conditional requests are judged", c.conditional)
		})
	}
}

// public: without this the other cases would show nothing.
func (c *cached) public(t *testing.T) {
	for _, want := range []string{"MISS", "HIT"} {
		a := ask(t, c.addr, "GET", "/public")
		if a.Status != 200 || a.Body != "public 1" || a.Header.Get("X-Cache") != want {
			t.Errorf("%d %q, X-Cache %q, want %s", a.Status, a.Body, a.Header.Get("X-Cache"), want)
		}
	}
}

// denials are the same with and without the cache, however often one asks.
func (c *cached) denials(t *testing.T) {
	for _, d := range []struct {
		target, line string
		status       int
	}{
		{"/report", "Accept: */*", 401},
		{"/report", "Accept: text/plain", 401},
		{"/report", "Authorization: Bearer expired", 401},
		{"/report", "Authorization: Basic YTpi", 401},
		{"/report", "X-API-Key: sp_unknown", 401},
		{"/report", "Cookie: session=unknown", 401},
		{"/report", "Authorization: Basic bG9ja2VkOmE=", 429},
		{"/report", "Authorization: Bearer down", 503},
		{"/report", "X-API-Key: sp_a.b\nX-API-Key: sp_c.d", 400},
		{"/admin", "Authorization: Bearer alice", 403},
		{"/hidden", "Accept: */*", 404},
		{"/hidden", "Authorization: Bearer alice", 404},
	} {
		want := ask(t, c.app, "GET", d.target, d.line)
		if want.Status != d.status {
			t.Fatalf("%s, %s: the app answers %d, want %d", d.target, d.line, want.Status, d.status)
		}
		if challenges := len(want.Header.Values("WWW-Authenticate")); d.line == "Accept: */*" && d.status == 401 && challenges < 4 {
			t.Fatalf("%s: the app sends %d challenges", d.target, challenges)
		}
		for range 3 {
			got := ask(t, c.addr, "GET", d.target, d.line)
			if state := got.Header.Get("X-Cache"); state != "MISS" {
				t.Errorf("%s, %s: X-Cache %q", d.target, d.line, state)
			}
			if diff := difference(got, want); diff != "" {
				t.Errorf("%s, %s: %s", d.target, d.line, diff)
			}
		}
		if a := ask(t, c.addr, "GET", d.target, "Authorization: Bearer root"); a.Status != 200 || a.Body != "report for root" {
			t.Errorf("%s after %s: root gets %d %q", d.target, d.line, a.Status, a.Body)
		}
	}
}

// users ask in turns, each by each scheme.
func (c *cached) users(t *testing.T) {
	for _, target := range []string{"/report", "/shared"} {
		for _, user := range []string{"alice", "bob", "nobody", "alice", "root", "bob", "nobody"} {
			if user == "nobody" {
				if a := ask(t, c.addr, "GET", target); a.Status != 401 || strings.Contains(a.Body, "report for") {
					t.Errorf("%s: nobody gets %d %q", target, a.Status, a.Body)
				}
				continue
			}
			for scheme, line := range c.credentials(t, c.app, user) {
				if a := ask(t, c.addr, "GET", target, line); a.Status != 200 || a.Body != "report for "+user {
					t.Errorf("%s: %s by %s gets %d %q", target, user, scheme, a.Status, a.Body)
				}
			}
		}
	}
}

// ended: credentials that were good a moment ago get nothing out of the cache,
// whatever the handler says of it.
func (c *cached) ended(t *testing.T) {
	const line = "Authorization: Bearer leaver"
	targets := []string{"/report", "/shared", "/careless"}
	for _, target := range targets {
		for range 2 {
			if a := ask(t, c.addr, "GET", target, line); a.Status != 200 || a.Body != "report for leaver" || a.Header.Get("X-Cache") != "MISS" {
				t.Errorf("%s: %d %q, X-Cache %q", target, a.Status, a.Body, a.Header.Get("X-Cache"))
			}
		}
	}
	c.left.Store(true)
	for _, target := range targets {
		if a := ask(t, c.addr, "GET", target, line); a.Status != 401 || strings.Contains(a.Body, "report for") {
			t.Errorf("%s with a token that is over: %d %q, X-Cache %q", target, a.Status, a.Body, a.Header.Get("X-Cache"))
		}
	}
}

func (c *cached) conditional(t *testing.T) {
	for _, target := range []string{"/report", "/shared"} {
		for _, r := range []struct {
			method, line, tag string
			status            int
			body              string
		}{
			{"GET", "Authorization: Bearer alice", "", 200, "report for alice"},
			{"GET", "Authorization: Bearer alice", "alice", 200, "report for alice"}, // nginx asks for the whole, to store it
			{"GET", "Authorization: Bearer bob", "alice", 200, "report for bob"},
			{"GET", "Accept: */*", "alice", 401, ""},
			{"GET", "Authorization: Bearer down", "alice", 503, ""},
			{"HEAD", "Accept: */*", "", 401, ""},
			{"HEAD", "Authorization: Bearer bob", "", 200, ""},
			{"GET", "Authorization: Bearer bob", "", 200, "report for bob"},
			{"HEAD", "Authorization: Bearer down", "bob", 503, ""},
		} {
			tag := "X-None: 1"
			if r.tag != "" {
				tag = `If-None-Match: "` + r.tag + `"`
			}
			a := ask(t, c.addr, r.method, target, r.line, tag)
			if a.Status != r.status || r.body != "" && a.Body != r.body || r.method == "HEAD" && a.Body != "" {
				t.Errorf("%s %s, %s, %s: %d %q, want %d", r.method, target, r.line, tag, a.Status, a.Body, r.status)
			}
			if r.status == 401 && len(a.Header.Values("WWW-Authenticate")) < 4 {
				t.Errorf("%s %s: challenges %q", r.method, target, a.Header.Values("WWW-Authenticate"))
			}
		}
	}
}

// difference says what a proxy has made of an answer beyond its own fields, or
// "".
func difference(got, want authtest.Answer) string {
	if got.Status != want.Status || got.Body != want.Body {
		return http.StatusText(got.Status) + " " + got.Body + " in place of " + http.StatusText(want.Status) + " " + want.Body
	}
	names := map[string]bool{}
	for _, h := range []http.Header{got.Header, want.Header} {
		for name := range h {
			names[name] = true
		}
	}
	for _, own := range []string{"Date", "Server", "Connection", "X-Cache", "Content-Length"} {
		delete(names, own)
	}
	for name := range names {
		if !slices.Equal(got.Header[name], want.Header[name]) {
			return name + " " + strings.Join(got.Header[name], " | ") + " in place of " + strings.Join(want.Header[name], " | ")
		}
	}
	return ""
}
