package sessiontest

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var cookieCases = []testCase{
	{"F05 the attributes of the cookie", attributes},
	{"F05 an insecure cookie stays on the developer's machine", insecure},
	{"F09 two session cookies are refused", twoCookies},
	{"F06 ids are random and no secret is in the store", randomIDs},
	{"invariant 13 what is no id never reaches the store", malformed},
	{"invariant 7 answers depend on the cookie", caching},
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

// insecure: the host in the suite's requests is app.example, which is not the local
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
		t.Errorf("the store was called %d times", n-asked)
	}
	// A cookie with another name is ignored.
	a := s.browser(t).send("GET", "/me", "Cookie: session="+mallory+"; "+cookieName+"="+alice)
	if a.Body != "alice user" {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}

// randomIDs: 256 bits, each of which takes both values. The store contains no ids, and
// its keys do not tell who is signed in.
func randomIDs(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	const logins = 48
	var ones, zeros [32]byte
	ids := map[string]bool{}
	for range logins {
		id := s.browser(t).login("alice")
		b, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(b) != len(ones) {
			t.Fatalf("id %q: %d bytes, %v", id, len(b), err)
		}
		for i := range b {
			ones[i] |= b[i]
			zeros[i] |= ^b[i]
		}
		ids[id] = true
	}
	for i := range ones {
		if ones[i] != 0xff || zeros[i] != 0xff {
			t.Errorf("byte %d of the ids has fixed bits: %08b %08b", i, ones[i], zeros[i])
		}
	}
	if len(ids) != logins {
		t.Errorf("%d ids for %d logins", len(ids), logins)
	}
	contents := s.store.Contents()
	for id := range ids {
		if strings.Contains(contents, id) {
			t.Fatal("an id is in the store")
		}
	}
	s.signedIn(t, "bartholomew").send("POST", "/everywhere")
	if strings.Contains(strings.Join(s.store.Keys(), " "), "bartholomew") {
		t.Error("a principal is in the keys of the store")
	}
}

func malformed(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	id := s.signedIn(t, "alice").id
	asked := s.store.Asked("find")
	for _, value := range []string{
		"", "x", id[:42], id + "A", id + "=", strings.Repeat("A", 4000), id[:42] + "*", id[:42] + "%41",
		id[:42] + "B", // bits that occur in no id
		"../" + id[3:],
	} {
		a := s.browser(t).send("GET", "/me", "Cookie: "+cookieName+"="+value)
		refused(t, value, a, http.StatusUnauthorized, core.CodeInvalidCredentials)
		if e := s.events.Last(t); e.Reason != core.ReasonMalformed || value != "" && strings.Contains(e.Cause.Error(), value) {
			t.Errorf("%q: event %s %v", value, e.Reason, e.Cause)
		}
		if c := cookieOf(a); c == nil || c.MaxAge >= 0 {
			t.Errorf("%q: the cookie stays", value)
		}
	}
	if n := s.store.Asked("find"); n != asked {
		t.Errorf("the store was called %d times", n-asked)
	}
}

func caching(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	a := s.signedIn(t, "alice").does("GET", "/me", "alice user")
	if a.Header.Get("Vary") != "Cookie" || a.Header.Get("Cache-Control") != "private" || cookieOf(a) != nil {
		t.Errorf("signed in: %v", a.Header)
	}
	a = s.browser(t).does("GET", "/public", "nobody")
	if a.Header.Get("Vary") != "Cookie" {
		t.Errorf("anonymous: %v", a.Header)
	}
	refused(t, "nobody", s.browser(t).send("GET", "/me"), http.StatusUnauthorized, core.CodeAuthenticationRequired)
	b := s.signedIn(t, "alice")
	s.clock.Advance(time.Hour)
	a = b.send("GET", "/me")
	if lines := a.Header.Values("Set-Cookie"); a.Status != http.StatusUnauthorized || len(lines) != 1 {
		t.Errorf("a 401 sets %q", lines)
	}
}
