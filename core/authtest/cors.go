package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var corsCases = []testCase{
	{"A18 scripts of named origins can read refusals", corsRefusals},
	{"A18 what the application's CORS has set stays", corsMerged},
}

const front = "https://front.example"

func corsDoor(t *testing.T, f Framework, gates ...string) *door {
	t.Helper()
	g, _ := guard(t, core.WithCORS(front, "http://localhost:5173"))
	var mounted []Gate
	for _, kind := range gates {
		mounted = append(mounted, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
	}
	return newDoor(t, f, mounted...)
}

// lists reports whether a field of a lists name, in any letter case.
func (a Answer) lists(field, name string) bool {
	for member := range strings.SplitSeq(strings.Join(a.Header.Values(field), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(member), name) {
			return true
		}
	}
	return false
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

func corsMerged(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithCORS(front))
	d := &door{t: t}
	d.addr = f.Start(t, App{
		Before: []Handler{func(x Exchange) error {
			x.SetHeader("Access-Control-Allow-Origin", front)
			x.SetHeader("Access-Control-Expose-Headers", "X-Total, www-authenticate")
			x.SetHeader("Vary", "Origin")
			return nil
		}},
		Routes: []Route{d.route(Gate{Kind: "Authenticate", Guard: g})},
	})
	a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, "Origin: "+front)
	if got := a.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != front {
		t.Errorf("allowed origin %q: browsers refuse two", got)
	}
	for _, name := range []string{"X-Total", "WWW-Authenticate", "Retry-After"} {
		if !a.lists("Access-Control-Expose-Headers", name) {
			t.Errorf("%s is not exposed: %q", name, a.Header.Values("Access-Control-Expose-Headers"))
		}
	}
	if got := strings.Count(strings.ToLower(strings.Join(a.Header.Values("Access-Control-Expose-Headers"), ",")), "www-authenticate"); got != 1 {
		t.Errorf("exposed %d times", got)
	}
}
