package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/bearer"
)

var cookieTokenCases = []testCase{
	{"B08 F10 a token in a cookie is checked for other sites", cookieTokenCrossSite},
	{"a token has one place in a request", cookieTokenPlaces},
	{"A20 a token in a cookie makes answers private", cookieTokenCaching},
	{"no cookie is read that was not named", cookieTokenUnnamed},
}

const tokenCookie = "Cookie: __Host-token="

// cookieTokens is a guard whose Bearer scheme reads a cookie too.
func cookieTokens(t *testing.T, opts ...core.Option) (*core.Guard, *Recorder) {
	t.Helper()
	a, err := bearer.New("r", tokens{}, bearer.WithCookie("__Host-token"))
	if err != nil {
		t.Fatal(err)
	}
	return guardOf(t, []core.Authenticator{a}, append(opts, core.WithAuthorizer(only("alice")))...)
}

func cookieTokenCrossSite(t *testing.T, f Framework) {
	g, rec := cookieTokens(t, core.WithTrustedOrigins("https://front.example"))
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("alice")}})
		for _, tt := range crossSiteMatrix {
			for _, credentials := range []string{tokenCookie + "alice", "Authorization: Bearer alice"} {
				header := append(lines(tt.header), credentials, "Content-Length: 0")
				a := Send(t, d.addr, Request("POST", "/door", header...))
				if want := map[bool]int{true: http.StatusForbidden, false: http.StatusOK}[tt.refused]; a.Status != want {
					t.Errorf("%s: POST with %q: %d, want %d", kind, header, a.Status, want)
				}
				if e := rec.Last(t); tt.refused != (e.Reason == core.ReasonCrossSite) || e.Scheme != "Bearer" {
					t.Errorf("%s: event %+v", kind, e)
				}
			}
		}
		d.admits("alice", tokenCookie+"alice", "Sec-Fetch-Site: cross-site")
		a := Send(t, d.addr, Request("POST", "/door", tokenCookie+"alice", "Origin: https://front.example", "Sec-Fetch-Site: same-site", "Content-Length: 0"))
		if a.Status != http.StatusOK {
			t.Errorf("%s: trusted origin: %d", kind, a.Status)
		}
	}
}

// cookieTokenPlaces: RFC 6750 §2, a client must not use more than one way.
func cookieTokenPlaces(t *testing.T, f Framework) {
	g, rec := cookieTokens(t)
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	d.admits("alice", tokenCookie+"alice")
	d.admits("alice", "Authorization: Bearer alice")
	d.admits("alice", tokenCookie+"alice", "Authorization: Basic Ym9iOng=")
	d.admits("anonymous", "Cookie: token=alice; __Host-other=alice")
	for _, header := range [][]string{
		{tokenCookie + "alice", "Authorization: Bearer alice"},
		{tokenCookie + "alice", "Authorization: bearer"},
		{tokenCookie + "expired", "Authorization: Bearer alice"},
		{tokenCookie + "alice; __Host-token=alice"},
		{tokenCookie + "alice", tokenCookie + "bob"},
	} {
		d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, header...)
		if e := rec.Last(t); e.Reason != core.ReasonAmbiguous {
			t.Errorf("%q: event %+v", header, e)
		}
	}
	for value, reason := range map[string]core.Reason{
		"": core.ReasonMalformed, "a%20b": core.ReasonMalformed, "Bearer alice": core.ReasonMalformed,
		strings.Repeat("a", 17<<10): core.ReasonMalformed, "expired": core.ReasonExpired, "forged": core.ReasonBadSignature,
	} {
		if len(value) > 4<<10 && f.Buffers { // its server takes no such field
			continue
		}
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, tokenCookie+value)
		if e := rec.Last(t); e.Reason != reason {
			t.Errorf("%.20q: event %+v", value, e)
		}
		if v := a.Header.Get("WWW-Authenticate"); !strings.HasPrefix(v, `Bearer realm="r", error="invalid_token"`) {
			t.Errorf("%.20q: challenge %q", value, v)
		}
	}
	d.refuses(http.StatusServiceUnavailable, core.CodeUnavailable, tokenCookie+"down")
}

func cookieTokenCaching(t *testing.T, f Framework) {
	g, _ := cookieTokens(t)
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	a := d.admits("alice", tokenCookie+"alice")
	if got := strings.Join(a.Header.Values("Cache-Control"), "|"); got != "private" || a.vary() != "authorization cookie" {
		t.Errorf("Cache-Control %q, Vary %q", got, a.vary())
	}
	if a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired); a.vary() != "authorization cookie" {
		t.Errorf("Vary %q of a refusal", a.vary())
	}
}

func cookieTokenUnnamed(t *testing.T, f Framework) {
	a, err := bearer.New("r", tokens{})
	if err != nil {
		t.Fatal(err)
	}
	g, _ := guardOf(t, []core.Authenticator{a})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, tokenCookie+"alice")
	d.admits("alice", tokenCookie+"bob", "Authorization: Bearer alice")
}
