package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var corsSemantics = []testCase{
	{"A18 scripts of named origins can read refusals", corsRefusals},
	{"A18 other origins learn nothing", corsStrangers},
	{"A17 A18 a preflight is answered for named origins", corsPreflight},
}

func corsStrangers(t *testing.T, f Framework) {
	d := corsDoor(t, f, "Authenticate")
	for _, header := range [][]string{nil, {"Origin: https://evil.example"}, {"Origin: null"}, {"Origin: " + front + "/"},
		{"Origin: " + front, "Origin: https://evil.example"}} {
		a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header...)
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%q: %s %q", header, name, a.Header[name])
			}
		}
		if !a.lists("Vary", "Origin") {
			t.Errorf("%q: Vary %q", header, a.vary())
		}
	}
}

func corsPreflight(t *testing.T, f Framework) {
	d := corsDoor(t, f, "Authenticate")
	ask := func(header ...string) Answer {
		a := Send(t, d.addr, Request("OPTIONS", "/door", append(header, "Access-Control-Request-Method: POST")...))
		if a.Status != http.StatusNoContent || d.runs.Load() != 0 {
			t.Errorf("%q: %d, the handler ran %d times", header, a.Status, d.runs.Load())
		}
		return a
	}
	a := ask("Origin: "+front, "Access-Control-Request-Headers: authorization,content-type")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": front, "Access-Control-Allow-Credentials": "true",
		"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "authorization,content-type",
	} {
		if got := strings.Join(a.Header.Values(name), "|"); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
	if a := ask("Origin: https://evil.example"); a.Header.Get("Access-Control-Allow-Origin") != "" || !a.lists("Vary", "Origin") {
		t.Errorf("a stranger: %v", a.Header)
	}
	if a := ask("Origin: "+front, `Access-Control-Request-Headers: a"b`); a.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("sent back %q", a.Header.Get("Access-Control-Allow-Headers"))
	}
}

func corsDoor(t *testing.T, f Framework, gates ...string) *door {
	t.Helper()
	g, _ := guard(t, core.WithCORS(front, "http://localhost:5173"))
	var mounted []Gate
	for _, kind := range gates {
		mounted = append(mounted, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
	}
	return newDoor(t, f, mounted...)
}

func corsRefusals(t *testing.T, f Framework) {
	d := corsDoor(t, f, "Authenticate", "Require")
	for _, tt := range []struct {
		status int
		code   string
		header []string
	}{
		{http.StatusUnauthorized, core.CodeAuthenticationRequired, nil},
		{http.StatusUnauthorized, core.CodeInvalidCredentials, []string{as("bad")}},
		{http.StatusForbidden, core.CodeForbidden, []string{as("bob")}},
		{http.StatusServiceUnavailable, core.CodeUnavailable, []string{as("down")}},
	} {
		for _, origin := range []string{front, "http://localhost:5173"} {
			a := d.refuses(tt.status, tt.code, append(tt.header, "Origin: "+origin)...)
			if got := a.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != origin {
				t.Errorf("%d: allowed origin %q", tt.status, got)
			}
			if a.Header.Get("Access-Control-Allow-Credentials") != "true" || !a.lists("Vary", "Origin") ||
				!a.lists("Access-Control-Expose-Headers", "WWW-Authenticate") || !a.lists("Access-Control-Expose-Headers", "Retry-After") {
				t.Errorf("%d: %v", tt.status, a.Header)
			}
		}
	}
	if a := d.admits("alice", as("alice"), "Origin: "+front); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an answer that passes is the application's to open")
	}
}
