package authtest

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/proxy"
)

var attemptSemantics = []testCase{
	{"a limiter hears how each attempt ends", attemptReported},
	{"a limiter that fails is 503 or 500", attemptLimiterFails},
	{"H18 the client behind proxies", clientBehindProxies},
}

// attemptReported: events report each attempt once, and none where there was none.
func attemptReported(t *testing.T, f Framework) {
	l := new(ledger)
	d, _, _ := limitedDoor(t, f, "Optional", l)
	for _, tt := range []struct{ header, asked, reports string }{
		{login("bob", "open sesame"), "bob", "bob: <nil>"},
		{login("bob", "wrong"), "bob", "bob: wrong_secret: wrong password"},
		{login("unknown", "x"), "unknown", "unknown: unknown_principal: unknown user"},
		{login("busy", "x"), "busy", "busy: unavailable: too many hashes at once"},
		{"Authorization: Basic x", "", ": malformed: "},
		{"Authorization: Other x", "", ""},
		{"Cookie: session=bob", "", ""},
		{"Cookie: session=bad", "", ""},
		{"Accept: */*", "", ""},
	} {
		d.get(tt.header)
		asked, reports := l.heard()
		if asked != tt.asked || !strings.HasPrefix(reports, tt.reports) || tt.reports == "" && reports != "" {
			t.Errorf("%s: asked %q and told %q, want %q and %q", tt.header, asked, reports, tt.asked, tt.reports)
		}
	}
}

// attemptLimiterFails: while the limiter is down nobody can guess, and nobody is signed
// out.
func attemptLimiterFails(t *testing.T, f Framework) {
	l := &ledger{refusals: map[string]error{
		"bob": http.ErrServerClosed, "carol": &core.InternalError{Err: http.ErrServerClosed}, "dave": core.ErrNoCredentials,
	}}
	d, rec, verified := limitedDoor(t, f, "Optional", l)
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, login("bob", "open sesame"))
	if e := rec.Last(t); !errors.Is(e.Cause, http.ErrServerClosed) {
		t.Errorf("event with cause %v", e.Cause)
	}
	d.refuses(http.StatusInternalServerError, core.CodeInternal, login("carol", "open sesame"))
	d.refuses(http.StatusInternalServerError, core.CodeInternal, login("dave", "open sesame"))
	if verified.Load() != 0 {
		t.Errorf("%d passwords looked at", verified.Load())
	}
}

// clientBehindProxies: a rule on addresses trusts the header of a trusted proxy only.
func clientBehindProxies(t *testing.T, f Framework) {
	office := netip.MustParsePrefix("198.51.100.0/24")
	from := func(trusted *proxy.Trust) *door {
		g, _ := guard(t)
		return newDoor(t, f, Gate{Kind: "Require", Guard: g, Rules: []core.Authorizer{
			AuthorizerFunc(func(_ *core.Principal, a core.Access) (core.Decision, error) {
				addr, err := trusted.Client(a.Request)
				return core.Decision{Allowed: err == nil && office.Contains(addr)}, nil
			}),
		}})
	}
	trusted := func(opts ...proxy.Option) *proxy.Trust {
		p, err := proxy.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const xff, fwd = "X-Forwarded-For: ", "Forwarded: for="
	d := from(trusted())
	d.admits("bob", as("bob"), xff+"198.51.100.7")
	d.admits("bob", as("bob"), xff+"192.0.2.1, ::ffff:198.51.100.7")
	d.admits("bob", as("bob"), xff+"198.51.100.7:4711, 127.0.0.1")
	for _, lines := range [][]string{
		nil, {xff + "198.51.100.7, 192.0.2.1"}, {xff + "198.51.100.7,"}, {fwd + "198.51.100.7"},
		{xff + "198.51.100.7", xff + "198.51.100.7"}, {"X_Forwarded_For: 198.51.100.7"}, {"X-Real-IP: 198.51.100.7"},
	} {
		d.refuses(http.StatusForbidden, core.CodeForbidden, append(lines, as("bob"))...)
	}
	d = from(trusted(proxy.WithForwarded()))
	d.admits("bob", as("bob"), fwd+"192.0.2.1, for=198.51.100.7;proto=https")
	d.refuses(http.StatusForbidden, core.CodeForbidden, as("bob"), xff+"198.51.100.7")
	from(nil).refuses(http.StatusForbidden, core.CodeForbidden, as("bob"), xff+"198.51.100.7", fwd+"198.51.100.7")
}
