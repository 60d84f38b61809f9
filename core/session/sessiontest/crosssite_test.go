package sessiontest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var originCases = []testCase{
	{"F10 another site's request is refused", crossSite},
	{"F10 another site can neither log in nor out", crossSiteLogin},
	{"F11 trusted origins may log in and out", trustedOrigins},
}

// matrix lists senders of an unsafe request to http://app.example, and whether it is
// refused.
var matrix = map[string]bool{
	"Accept: */*":                             false, // no current browser
	"Sec-Fetch-Site: same-origin":             false,
	"Sec-Fetch-Site: none":                    false,
	"Sec-Fetch-Site: same-site":               true,
	"Sec-Fetch-Site: cross-site":              true,
	"Sec-Fetch-Site: ":                        true,
	"Origin: http://app.example":              false,
	"Origin: null":                            true,
	"Origin: https://evil.example":            true,
	"Origin: http://app.example:81":           true,
	"Origin: http://app.example.evil.example": true,
}

func crossSite(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	b := s.signedIn(t, "alice")
	for line, bad := range matrix {
		a := b.send("POST", "/me", line)
		if !bad {
			if a.Status != http.StatusOK {
				t.Errorf("%s: %d %q", line, a.Status, a.Body)
			}
			continue
		}
		refused(t, line, a, http.StatusForbidden, core.CodeCrossSite)
		if a = b.send("GET", "/me", line); a.Status != http.StatusOK {
			t.Errorf("GET with %s: %d", line, a.Status)
		}
	}
	a := b.send("GET", "/me", "Origin: https://evil.example", "Connection: Upgrade", "Upgrade: websocket")
	refused(t, "upgrade", a, http.StatusForbidden, core.CodeCrossSite)
	b.is("alice")
}

// crossSiteLogin: a login caused by another site puts the victim into the attacker's
// account; a logout is a nuisance.
func crossSiteLogin(t *testing.T, f authtest.Framework) {
	s := serve(t, f)
	for line, bad := range matrix {
		b := s.signedIn(t, "alice")
		before := b.id
		for target, status := range map[string]int{"/login?user=mallory": http.StatusOK, "/logout": http.StatusNoContent} {
			b.id = before
			a := b.send("POST", target, line)
			if !bad {
				if a.Status != status {
					t.Errorf("%s with %s: %d", target, line, a.Status)
				}
				b.login("alice")
				before = b.id
				continue
			}
			refused(t, target+" with "+line, a, http.StatusForbidden, core.CodeCrossSite)
			if e := s.events.Last(t); e.Reason != core.ReasonCrossSite || e.Scheme != "Session" {
				t.Errorf("%s with %s: event %s by %s", target, line, e.Reason, e.Scheme)
			}
			if cookieOf(a) != nil {
				t.Errorf("%s with %s: Set-Cookie", target, line)
			}
			b.is("alice")
		}
		if !bad {
			continue
		}
		ended := b.id
		if a := b.send("POST", "/logout"); a.Status != http.StatusNoContent {
			t.Fatalf("logout: %d", a.Status)
		}
		// Browsers do not send cookies then (rfc6265bis §5.6.7), but let an answer delete
		// them.
		for what, cookie := range map[string]string{"no session": "", "one that has ended": ended, "an unknown one": "unknown"} {
			b.id = cookie
			a := b.send("POST", "/logout", line)
			refused(t, "logout of "+what+" with "+line, a, http.StatusForbidden, core.CodeCrossSite)
			if e := s.events.Last(t); e.Reason != core.ReasonCrossSite || cookieOf(a) != nil {
				t.Errorf("logout of %s with %s: event %s, %v", what, line, e.Reason, a.Header)
			}
		}
	}
}

func trustedOrigins(t *testing.T, f authtest.Framework) {
	s := serve(t, f, session.WithTrustedOrigins("https://front.example", "http://front.example:8080"))
	for origin, trusted := range map[string]bool{
		"https://front.example":      true,
		"http://front.example:8080":  true,
		"http://front.example":       false,
		"https://front.example:8080": false,
		"https://FRONT.example":      false,
		"https://a.front.example":    false,
		"https://front.example/":     false,
		"null":                       false,
	} {
		for _, target := range []string{"/login?user=alice", "/logout"} {
			b := s.signedIn(t, "alice")
			a := b.send("POST", target, "Origin: "+origin, "Sec-Fetch-Site: cross-site")
			if trusted != (a.Status < 300) {
				t.Errorf("%s from %s: %d", target, origin, a.Status)
			}
			if !trusted {
				refused(t, origin, a, http.StatusForbidden, core.CodeCrossSite)
			}
		}
	}
	for _, origin := range []string{"", "*", "front.example", "https://front.example/", "https://Front.example", "https://front.example:443"} {
		if _, err := session.New(session.WithTrustedOrigins(origin)); err == nil || !strings.Contains(err.Error(), "origin") {
			t.Errorf("New trusts origin %q: %v", origin, err)
		}
	}
}
