package sessiontest

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var cookieCases = []testCase{
	{"F05 the attributes of the cookie", attributes},
	{"F05 an insecure cookie stays on the developer's machine", insecure},
	{"F09 two session cookies are refused", twoCookies},
}

// attributes: draft-ietf-httpbis-rfc6265bis §4.1.3.2. No Domain, and never
// SameSite=None.
func attributes(t *testing.T, f authtest.Framework) {
	for want, opts := range map[string][]session.Option{
		"Path=/; HttpOnly; Secure; SameSite=Lax":                nil,
		"Path=/; HttpOnly; Secure; SameSite=Strict":             {session.WithStrictSameSite()},
		"Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax": {session.WithPersistentCookie()},
	} {
		s := serve(t, f, opts...)
		b := s.browser(t)
		a := b.send("POST", "/login?user=alice")
		form := regexp.MustCompile("^" + cookieName + "=[A-Za-z0-9_-]{43}; " + regexp.QuoteMeta(want) + "$")
		if lines := a.Header.Values("Set-Cookie"); len(lines) != 1 || !form.MatchString(lines[0]) {
			t.Errorf("login sets %q, want %s", lines, want)
		}
		if v := a.Header.Get("Cache-Control"); v != "no-store" {
			t.Errorf("login: Cache-Control %q", v)
		}
		b.is("alice")
		a = b.send("POST", "/logout")
		ends := strings.Replace(want, "Max-Age=43200; ", "", 1)
		ends = strings.Replace(ends, "Path=/; ", "Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; ", 1)
		if lines := a.Header.Values("Set-Cookie"); len(lines) != 1 || lines[0] != cookieName+"=; "+ends {
			t.Errorf("logout sets %q, want %s", lines, ends)
		}
	}
}

// insecure: the host of the suite's requests is app.example, which is not this
// machine.
func insecure(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithPlainHTTPForDevelopment())
	a := s.browser(t).send("POST", "/login?user=alice")
	refused(t, "login from afar", a, http.StatusInternalServerError, core.CodeInternal)
	if c := cookieOf(a); c != nil {
		t.Errorf("cookie %v", c)
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:8080", "shop.localhost"} {
		a = authtest.Send(t, s.addr, "POST /login?user=alice HTTP/1.1\nHost: "+host+"\nContent-Length: 0\n")
		c := cookieOf(a)
		if c == nil || c.Name != "session" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%s: %d, cookie %v", host, a.Status, c)
		}
	}
}

func twoCookies(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	alice, mallory := s.signedIn(t, "alice").id, s.signedIn(t, "mallory").id
	asked := s.store.Asked("find")
	for _, lines := range [][]string{
		{"Cookie: " + cookieName + "=" + alice + "; " + cookieName + "=" + mallory},
		{"Cookie: " + cookieName + "=" + mallory + "; " + cookieName + "=" + mallory},
		{"Cookie: " + cookieName + "=" + alice + "; theme=dark; " + cookieName + "="},
	} {
		for _, target := range []string{"GET /me", "GET /public", "POST /login?user=alice", "POST /logout", "POST /promote"} {
			method, path, _ := strings.Cut(target, " ")
			a := s.browser(t).send(method, path, lines...)
			refused(t, target, a, http.StatusBadRequest, core.CodeInvalidRequest)
			if e := s.events.Last(t); e.Reason != core.ReasonAmbiguous {
				t.Errorf("%s: event %s", target, e.Reason)
			}
		}
	}
	if n := s.store.Asked("find"); n != asked {
		t.Errorf("the store was asked %d times", n-asked)
	}
	// A cookie of another name is another matter.
	a := s.browser(t).send("GET", "/me", "Cookie: session="+mallory+"; "+cookieName+"="+alice)
	if a.Body != "alice user" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}
