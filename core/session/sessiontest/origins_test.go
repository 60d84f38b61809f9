package sessiontest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/session"
)

var trustCases = []testCase{
	{"F11 trusted origins may log in and out", trustedOrigins},
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
