package authtest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/respond"
)

var pageCases = []testCase{
	{"J03 A21 a redirect to sign in is 303, not stored, and for people alone", loginRedirects},
	{"F12 a path to return to is one of this site", returnTo},
}

// Header lines of a browser that opens a page.
const (
	wantsPage = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	navigates = "Sec-Fetch-Mode: navigate\nSec-Fetch-Dest: document"
)

// answers is a responder for all kinds of clients.
func answers(t testing.TB, opts ...respond.Option) core.Option {
	t.Helper()
	n, err := respond.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return core.WithResponder(n)
}

// pageDoor is a door for alice that answers with pages.
func pageDoor(t testing.TB, f Framework, opts ...respond.Option) *door {
	t.Helper()
	g, _ := guard(t, core.WithAuthorizer(only("alice")), answers(t, opts...))
	return newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
}

// loginRedirects: RFC 9110 §15.4.4; 301 and 308 would be kept by caches.
func loginRedirects(t *testing.T, f Framework) {
	d := pageDoor(t, f, respond.WithSignInRedirect("/login"))
	for _, method := range []string{"GET", "HEAD"} {
		a := Send(t, d.addr, Request(method, "/door?a=b%20c&d", wantsPage, navigates))
		if got := a.Header.Values("Location"); a.Status != http.StatusSeeOther || len(got) != 1 || got[0] != "/login?return_to=%2Fdoor%3Fa%3Db%2520c%26d" {
			t.Errorf("%s: %d to %q", method, a.Status, got)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Robots-Tag") != "noindex" || a.Header.Get("WWW-Authenticate") != "" || a.Body != "" {
			t.Errorf("%s: %v %q", method, a.Header, a.Body)
		}
		for _, name := range []string{"Accept", "Authorization", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "X-Requested-With"} {
			if !a.lists("Vary", name) {
				t.Errorf("%s: Vary %q lacks %s", method, a.vary(), name)
			}
		}
	}
	if n := d.runs.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
}

// returnTo: what a framework's router and the client make of the target.
func returnTo(t *testing.T, f Framework) {
	g, _ := guard(t, answers(t, respond.WithSignInRedirect("/login")))
	addr := f.Start(t, App{Use: []Gate{{Kind: "Authenticate", Guard: g}}, Routes: []Route{
		{Pattern: "/door", Methods: []string{"GET"}, Handler: ok}, {Pattern: "/files/*", Methods: []string{"GET"}, Handler: ok},
	}})
	for _, target := range []string{
		"//evil.com", "///evil.com", "/%2fevil.com", "/%5cevil.com", `/\evil.com`, "/.//evil.com", "/..//evil.com", "/files/..//evil.com", "/files//evil.com",
		"/files/%2e%2e/%2fevil.com", "/files/%0d%0aX:%20y", "/files/a%00", "http://evil.com/door", "/files/" + strings.Repeat("a", 2048),
	} {
		a, err := send(addr, Request("GET", target, wantsPage, navigates))
		if err != nil {
			t.Errorf("%.40s: %v", target, err)
		}
		if got := a.Header.Get("Location"); got != "" && (strings.Contains(got, "evil") || strings.Contains(got, respond.ReturnToParam)) || a.Status == http.StatusOK {
			t.Errorf("%.40s: %d to %q", target, a.Status, got)
		}
	}
	for _, target := range []string{"/door", "/door?x=//evil.com", "/files/a/b%20c?next=https://evil.com/"} {
		a := Send(t, addr, Request("GET", target, wantsPage, navigates))
		u, err := url.Parse(a.Header.Get("Location"))
		if err != nil || u.Path != "/login" || u.Host != "" || respond.ReturnTo(u.Query().Get(respond.ReturnToParam)) != target {
			t.Errorf("%s: %d to %q (%v)", target, a.Status, u, err)
		}
	}
}
