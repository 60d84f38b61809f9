package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var crossSiteCases = []testCase{
	{"F10 what another site sends with a cookie is refused", crossSiteCookie},
	{"F10 credentials that a page must add itself are exempt", crossSiteHeader},
	{"F10 G16 an upgrade is judged like an unsafe method", crossSiteUpgrade},
	{"F11 trusted origins are compared exactly", trustedOrigins},
	{"F10 a password that another site sends is not looked at", crossSitePassword},
	{"F10 nobody's request is 401, wherever it comes from", crossSiteAnonymous},
}

// The matrix of F10; the host is app.example, the connection plain.
var crossSiteMatrix = []struct {
	header  string // lines joined by ";"
	refused bool
}{
	{"", false}, // no browser: a script with a cookie jar
	{"Sec-Fetch-Site: same-origin", false},
	{"Sec-Fetch-Site: none", false},
	{"Sec-Fetch-Site: same-site", true},
	{"Sec-Fetch-Site: cross-site", true},
	{"Sec-Fetch-Site: ", true},
	{"Sec-Fetch-Site: Same-Origin", true},
	{"Sec-Fetch-Site: same-origin;Sec-Fetch-Site: cross-site", true},
	{"Sec-Fetch-Site: cross-site;Origin: http://app.example", true}, // a proxy cannot make the first
	{"Origin: http://app.example", false},
	{"Origin: https://app.example", false}, // TLS ends at a proxy
	{"Origin: http://app.example:8080", true},
	{"Origin: http://evil.example", true},
	{"Origin: http://app.example.evil.example", true},
	{"Origin: null", true},
	{"Origin: ", true},
	{"Origin: app.example", true},
	{"Origin: ftp://app.example", true},
	{"Origin: http://app.example;Origin: http://evil.example", true},
}

func lines(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ";")
}

func crossSiteCookie(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{sessions{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, tt := range crossSiteMatrix {
		header := append(lines(tt.header), "Cookie: session=alice")
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			before := d.runs.Load()
			a := Send(t, d.addr, Request(method, "/door", append(header, "Content-Length: 0")...))
			if method == http.MethodGet || !tt.refused {
				if a.Status != http.StatusOK {
					t.Errorf("%s with %q: %d %q", method, header, a.Status, a.Body)
				}
				continue
			}
			refused(t, method+" with "+tt.header, a, http.StatusForbidden, core.CodeCrossSite)
			if len(a.Header.Values("WWW-Authenticate")) != 0 || d.runs.Load() != before {
				t.Errorf("%s with %q: challenged or handled: %v", method, header, a.Header)
			}
			if e := rec.Last(t); e.Reason != core.ReasonCrossSite || e.PrincipalID != "alice" || e.Outcome != core.OutcomeForbidden {
				t.Errorf("event %+v", e)
			}
		}
	}
}

func crossSiteHeader(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{Names{}, sessions{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	a := Send(t, d.addr, Request("POST", "/door", as("alice"), "Sec-Fetch-Site: cross-site", "Origin: https://evil.example", "Content-Length: 0"))
	if a.Status != http.StatusOK {
		t.Errorf("%d %q", a.Status, a.Body)
	}
}

func crossSiteUpgrade(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{sessions{}})
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	upgrade := []string{"Cookie: session=alice", "Connection: Upgrade", "Upgrade: websocket", "Origin: https://evil.example"}
	d.refuses(http.StatusForbidden, core.CodeCrossSite, upgrade...)
	upgrade[3] = "Origin: http://app.example"
	d.admits("alice", upgrade...)
}

func trustedOrigins(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{sessions{}}, core.WithTrustedOrigins("https://front.example", "http://front.example:8080"))
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for origin, ok := range map[string]bool{
		"https://front.example":           true,
		"http://front.example:8080":       true,
		"http://front.example":            false,
		"https://front.example:8080":      false,
		"https://front.example.evil.test": false,
		"https://FRONT.example":           false,
		"https://front.example/":          false,
		"https://sub.front.example":       false,
		"null":                            false,
	} {
		for _, site := range []string{"Sec-Fetch-Site: cross-site", "X-Old-Browser: yes"} {
			a := Send(t, d.addr, Request("POST", "/door", "Cookie: session=alice", "Origin: "+origin, site, "Content-Length: 0"))
			if want := map[bool]int{true: 200, false: 403}[ok]; a.Status != want {
				t.Errorf("%s, %s: %d, want %d", origin, site, a.Status, want)
			}
		}
	}
}

func crossSiteAnonymous(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{sessions{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, cookie := range []string{"X-None: 1", "Cookie: session=bad"} {
		a := Send(t, d.addr, Request("POST", "/door", cookie, "Sec-Fetch-Site: cross-site", "Content-Length: 0"))
		if a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", cookie, a.Status)
		}
	}
}

// crossSitePassword: browsers add the password of Basic by themselves. Another
// site can neither lock its visitor out nor learn whether a password is right.
func crossSitePassword(t *testing.T, f Framework) {
	for _, kind := range kinds {
		l := new(ledger)
		d, rec, verified := limitedDoor(t, f, kind, l)
		var first Answer
		for i, header := range []string{login("bob", "open sesame"), login("bob", "wrong"), login("unknown", "x"), login("busy", "x"), "Authorization: Basic x"} {
			for _, site := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example", "Origin: null"} {
				a := Send(t, d.addr, Request("POST", "/door", header, site, "Content-Length: 0"))
				if first.Status == 0 {
					first = a
				}
				refused(t, kind+" with "+site, a, http.StatusForbidden, core.CodeCrossSite)
				if diff := difference(first, a); diff != "" {
					t.Errorf("%s, password %d with %s: answers differ: %s", kind, i, site, diff)
				}
				if e := rec.Last(t); e.Reason != core.ReasonCrossSite || e.Scheme != "Basic" || e.PrincipalID != "" {
					t.Errorf("%s: event %+v", kind, e)
				}
			}
		}
		if asked, reports := l.heard(); asked != "" || reports != "" || verified.Load() != 0 {
			t.Errorf("%s: asked %q, told %q, %d passwords looked at", kind, asked, reports, verified.Load())
		}
	}
}
