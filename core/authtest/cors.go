package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var corsCases = []testCase{
	{"A18 what the application's CORS has set stays, and the gate's is sent", corsMerged},
}

const front = "https://front.example"

// lists reports whether a field of a lists name, in any letter case.
func (a Answer) lists(field, name string) bool {
	for member := range strings.SplitSeq(strings.Join(a.Header.Values(field), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(member), name) {
			return true
		}
	}
	return false
}

// corsMerged checks that CORS fields set by middleware in front and by the gate are merged:
// a browser lets a script read a refusal only if exactly one line names its origin.
func corsMerged(t *testing.T, f Framework) {
	g, _ := guard(t, core.WithCORS(front))
	for _, exposed := range []string{"", "X-Total, www-authenticate"} {
		d := newDoorIn(t, f, App{Before: []Handler{func(x Exchange) error {
			if exposed != "" {
				x.SetHeader("Access-Control-Allow-Origin", front)
				x.SetHeader("Access-Control-Expose-Headers", exposed)
				x.SetHeader("Vary", "Origin")
			}
			return nil
		}}}, nil, Gate{Kind: "Authenticate", Guard: g})
		a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, "Origin: "+front)
		if got := a.Header.Values("Access-Control-Allow-Origin"); len(got) != 1 || got[0] != front || !a.lists("Vary", "Origin") {
			t.Errorf("allowed origin %q, Vary %q: browsers refuse two", got, a.vary())
		}
		for name := range strings.SplitSeq("WWW-Authenticate, Retry-After, "+exposed, ", ") {
			if name != "" && !a.lists("Access-Control-Expose-Headers", name) {
				t.Errorf("%s is not exposed: %q", name, a.Header.Values("Access-Control-Expose-Headers"))
			}
		}
		if got := strings.Count(strings.ToLower(strings.Join(a.Header.Values("Access-Control-Expose-Headers"), ",")), "www-authenticate"); got != 1 {
			t.Errorf("exposed %d times", got)
		}
	}
}
