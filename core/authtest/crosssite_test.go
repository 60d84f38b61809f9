package authtest

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var crossSiteSemantics = []testCase{
	{"F10 credentials that a page must add itself are exempt", crossSiteHeader},
	{"F10 G16 an upgrade is judged like an unsafe method", crossSiteUpgrade},
	{"F11 trusted origins are compared exactly", trustedOrigins},
	{"F10 a password that another site sends is not looked at", crossSitePassword},
	{"F10 nobody's request is 401, wherever it comes from", crossSiteAnonymous},
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
	for _, upgrade := range [][]string{
		{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"},
		{"Connection: Upgrade", "Upgrade: websocket"},
		{"Sec-WebSocket-Version: 13"}, // from a proxy that passes on what is end-to-end
	} {
		upgrade = append(upgrade, "Cookie: session=alice")
		d.refuses(http.StatusForbidden, core.CodeCrossSite, append(upgrade, "Origin: https://evil.example")...)
		d.admits("alice", append(upgrade, "Origin: http://app.example")...)
	}
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

// crossSitePassword: browsers add the password of Basic by themselves. Another site can
// neither lock out its visitor nor learn whether a password is correct.
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
