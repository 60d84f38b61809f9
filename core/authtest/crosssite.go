package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var crossSiteCases = []testCase{
	{"F10 what another site sends with a cookie is refused", crossSiteCookie},
}

// The matrix of conformance item F10. The host is app.example, and the connection is not
// encrypted.
var crossSiteMatrix = []struct {
	header  string // field lines separated by ";"
	refused bool
}{
	{"", false}, // not a browser: a script with a cookie jar
	{"Sec-Fetch-Site: same-origin", false},
	{"Sec-Fetch-Site: none", false},
	{"Sec-Fetch-Site: same-site", true},
	{"Sec-Fetch-Site: cross-site", true},
	{"Sec-Fetch-Site: ", true},
	{"Sec-Fetch-Site: Same-Origin", true},
	{"Sec-Fetch-Site: same-origin;Sec-Fetch-Site: cross-site", true},
	{"Sec-Fetch-Site: cross-site;Origin: http://app.example", true}, // a proxy cannot cause the first field
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
