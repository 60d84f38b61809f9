// Package sessiontest is the part of the conformance suite for sessions.
//
// [Run] tests an adapter over real sockets with package session behind its gates. The tests
// of this package cover what is independent of adapters, such as the lifetime of sessions,
// the behaviour of stores, and cross-site sign-ins. [Store] and [Clock] are a store and a
// clock that tests control.
package sessiontest

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

// Run runs every case against f. Cases are independent and run in parallel. They cover
// cookies, fields and bodies as the adapter reads and writes them.
func Run(t *testing.T, f authtest.Framework) {
	for name, run := range map[string]func(*testing.T, authtest.Framework){
		"F05 F08 a cookie is set, read and taken away":                    cookieLife,
		"F05 an insecure cookie stays on the developer's machine":         plainCookie,
		"F07 an id from before a login is of no use after it":             planted,
		"F09 two session cookies are refused":                             twice,
		"F10 another site can neither use a session nor begin or end one": elsewhere,
		"a form and a script sign in":                                     forms,
		"invariant 4 a store that is down is 503 and logs nobody out":     outage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, f)
		})
	}
}

// cookieLife checks the attributes of cookies (draft-ietf-httpbis-rfc6265bis §4.1.3.2): no
// Domain, and never SameSite=None.
func cookieLife(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	const attributes = "; HttpOnly; Secure; SameSite=Lax"
	set := a.ask("POST", "/login?user=alice")
	form := regexp.MustCompile(`^__Host-session=[A-Za-z0-9_-]{43}; Path=/` + attributes + `$`)
	if lines := set.Header.Values("Set-Cookie"); len(lines) != 1 || !form.MatchString(lines[0]) || set.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("login: %q, Cache-Control %q", lines, set.Header.Get("Cache-Control"))
	}
	one, other := a.login("alice"), a.login("alice")
	a.is("alice", one)
	end := a.ask("POST", "/logout", one)
	want := "__Host-session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0" + attributes
	if lines := end.Header.Values("Set-Cookie"); end.Status != http.StatusNoContent || end.Body != "" || len(lines) != 1 || lines[0] != want {
		t.Errorf("logout: %d %q, want %s", end.Status, lines, want)
	}
	over := a.ask("GET", "/me", one)
	a.refuses("after the logout", over, http.StatusUnauthorized, session.ReasonUnknown)
	if c := setCookies(over); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("the cookie stays: %q", over.Header["Set-Cookie"])
	}
	a.is("alice", other)
	a.refuses("nobody", a.ask("GET", "/me"), http.StatusUnauthorized, core.ReasonNoCredentials)
}

// plainCookie checks that cookies without Secure are only set for hosts on this machine,
// which app.example, the host of the suite's other requests, is not.
func plainCookie(t *testing.T, f authtest.Framework) {
	a := newApp(t, f, session.WithPlainHTTPForDevelopment())
	if got := a.ask("POST", "/login?user=alice"); got.Status != http.StatusInternalServerError || len(setCookies(got)) > 0 {
		t.Errorf("from afar: %d %q", got.Status, got.Header["Set-Cookie"])
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:8080", "shop.localhost"} {
		got := authtest.Send(t, a.addr, "POST /login?user=alice HTTP/1.1\nHost: "+host+"\nContent-Length: 0\n")
		if c := setCookies(got); len(c) != 1 || c[0].Name != "session" || c[0].Secure || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
			t.Errorf("%s: %d %q", host, got.Status, got.Header["Set-Cookie"])
		}
	}
}

func planted(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	before := a.login("mallory")
	after := a.login("alice", before)
	a.is("alice", after)
	a.refuses("the planted id", a.ask("GET", "/me", before), http.StatusUnauthorized, session.ReasonReplaced)
}

func twice(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	alice, mallory := a.login("alice"), a.login("mallory")
	asked := a.store.Asked("find")
	for _, header := range [][]string{{alice + "; " + strings.TrimPrefix(mallory, "Cookie: ")}, {mallory, mallory}, {alice + "; __Host-session="}} {
		for _, target := range []string{"GET /me", "POST /login?user=alice", "POST /logout"} {
			method, path, _ := strings.Cut(target, " ")
			a.refuses(target, a.ask(method, path, header...), http.StatusBadRequest, core.ReasonAmbiguous)
		}
	}
	if n := a.store.Asked("find") - asked; n != 0 {
		t.Errorf("the store was asked %d times", n)
	}
	a.is("alice", alice+"; session=other")
}

func elsewhere(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	cookie := a.login("alice")
	for _, site := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"} {
		for _, target := range []string{"/me", "/login?user=mallory", "/enter", "/logout"} {
			got := a.ask("POST", target, cookie, site)
			a.refuses(target+" with "+site, got, http.StatusForbidden, core.ReasonCrossSite)
			if len(setCookies(got)) > 0 {
				t.Errorf("%s with %s: cookies %q", target, site, got.Header["Set-Cookie"])
			}
		}
	}
	if got := a.ask("POST", "/me", cookie, "Origin: http://app.example"); got.Status != http.StatusOK {
		t.Errorf("its own page: %d %q", got.Status, got.Body)
	}
}

func forms(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	for _, tt := range []struct {
		media, body string
		status      int
		to          string
	}{
		{"application/x-www-form-urlencoded", "user=alice&password=right&return_to=%2Freports%3Fa%3Db", http.StatusSeeOther, "/reports?a=b"},
		{"application/x-www-form-urlencoded", "user=alice&password=right&return_to=//evil.example", http.StatusSeeOther, "/"},
		{"application/x-www-form-urlencoded", "user=alice&password=wrong", http.StatusSeeOther, "/login?error=invalid_credentials"},
		{"application/json", `{"user":"alice","password":"right"}`, http.StatusNoContent, ""},
		{"application/json", `{"user":"alice","password":"wrong"}`, http.StatusUnauthorized, ""},
	} {
		got := authtest.Send(t, a.addr, authtest.Request("POST", "/enter", "Content-Type: "+tt.media, fmt.Sprintf("Content-Length: %d", len(tt.body)))+"\n\n"+tt.body)
		cookies := setCookies(got)
		if got.Status != tt.status || got.Header.Get("Location") != tt.to || (len(cookies) == 1) != strings.Contains(tt.body, "right") {
			t.Errorf("%s: %d to %q, cookies %q", tt.body, got.Status, got.Header.Get("Location"), got.Header["Set-Cookie"])
		}
		if len(cookies) == 1 {
			a.is("alice", "Cookie: __Host-session="+cookies[0].Value)
		}
	}
}

func outage(t *testing.T, f authtest.Framework) {
	a := newApp(t, f)
	cookie := a.login("alice")
	a.store.Fail(ErrDown)
	for _, target := range []string{"GET /me", "POST /me", "POST /login?user=alice", "POST /logout"} {
		method, path, _ := strings.Cut(target, " ")
		got := a.ask(method, path, cookie)
		a.refuses(target, got, http.StatusServiceUnavailable, core.ReasonUnavailable)
		if len(setCookies(got)) > 0 || got.Header.Get("Retry-After") == "" || strings.Contains(got.Body, "refused") {
			t.Errorf("%s: %v %q", target, got.Header, got.Body)
		}
	}
	a.store.Fail(nil)
	a.is("alice", cookie)
}
