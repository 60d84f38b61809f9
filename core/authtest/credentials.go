package authtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var credentialCases = []testCase{
	{"A10 schemes in any letter case", schemeCase},
	{"A12 a token68 and nothing after it", token68},
	{"A13 spaces separate, tabs do not", separators},
	{"A14 two Authorization lines", twoLines},
	{"A15 an unsupported scheme is no credentials", unsupported},
	{"a cookie twice", cookieTwice},
	{"several kinds of credentials", severalKinds},
}

// sesame is bob's Basic credentials.
const sesame = "Ym9iOm9wZW4gc2VzYW1l"

// schemeCase: RFC 9110 §11.1.
func schemeCase(t *testing.T, f Framework) {
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: everyScheme(t, "r")})
	for _, credentials := range []string{
		"Bearer bob", "bearer bob", "BEARER bob", "bEaReR bob",
		"Basic " + sesame, "basic " + sesame, "BASIC " + sesame, "bAsIc " + sesame,
	} {
		d.admits("bob", "Authorization: "+credentials)
		d.admits("bob", "AUTHORIZATION: "+credentials)
		d.admits("bob", "authorization:"+credentials)
	}
}

// token68: RFC 9110 §11.2.
func token68(t *testing.T, f Framework) {
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: everyScheme(t, "r")})
	for credentials, code := range map[string]string{
		"Bearer a b":                  core.CodeInvalidToken,
		"Bearer a,b":                  core.CodeInvalidToken,
		"Bearer a, b":                 core.CodeInvalidToken,
		"Bearer a=b":                  core.CodeInvalidToken,
		"Basic " + sesame + " x":      core.CodeInvalidCredentials,
		"Basic " + sesame + ",x":      core.CodeInvalidCredentials,
		"Basic " + sesame + ", b=c":   core.CodeInvalidCredentials,
		"Basic token=" + sesame:       core.CodeInvalidCredentials,
		"Basic " + sesame + "\tx":     core.CodeInvalidCredentials,
		"Bearer bob, Bearer alice":    core.CodeInvalidToken,
		"Bearer bob, Basic " + sesame: core.CodeInvalidToken,
	} {
		d.refuses(http.StatusUnauthorized, code, "Authorization: "+credentials)
	}
}

// separators: RFC 9110 §11.4 has 1*SP.
func separators(t *testing.T, f Framework) {
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: everyScheme(t, "r")})
	for _, spaces := range []string{" ", "  ", "     "} {
		d.admits("bob", "Authorization: Bearer"+spaces+"bob")
		d.admits("bob", "Authorization: Basic"+spaces+sesame)
	}
	for _, other := range []string{"\t", " \t", "\t ", ",", "=", ":"} {
		d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer"+other+"bob")
		d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, "Authorization: Basic"+other+sesame)
	}
	d.admits("bob", "Authorization:   Bearer bob   ") // optional whitespace around the field value
}

// twoLines: 400 with the Bearer challenge alone, on every guarded route,
// whatever the lines say (RFC 9110 §5.3, RFC 6750 §3.1).
func twoLines(t *testing.T, f Framework) {
	g := everyScheme(t, "r", core.WithAuthorizer(guests{only("bob")}))
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{only("bob")}})
		d.admits("bob", "Authorization: Bearer bob")
		for _, second := range []string{"Bearer bob", "Bearer alice", "Basic " + sesame, "Name bob", "Other x", "", "Bearer"} {
			for _, lines := range [][]string{
				{"Authorization: Bearer bob", "Authorization: " + second},
				{"authorization: " + second, "Accept: */*", "AUTHORIZATION: Bearer bob"},
			} {
				a := d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, lines...)
				challenged(t, kind+" "+second, a, `Bearer realm="r", error="invalid_request"`)
			}
		}
	}
	g, _ = guard(t)
	d := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	challenged(t, "without Bearer", d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, as("bob"), as("bob")), "")
}

// unsupported: RFC 6750 §3.1: the answer to no credentials, field for field.
func unsupported(t *testing.T, f Framework) {
	g := everyScheme(t, "r")
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	optional := newDoor(t, f, Gate{Kind: "Optional", Guard: g})
	none := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	for _, credentials := range []string{
		"", "Digest username=\"bob\", realm=\"r\"", "Negotiate YII=", "Bearer2 bob", "Bea bob", "Basically " + sesame,
		"Token bob", "bob", "\"Bearer\" bob", "=", ",", "Other",
	} {
		header := "Authorization: " + credentials
		a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header)
		if diff := difference(none, a); diff != "" {
			t.Errorf("%q: %s", credentials, diff)
		}
		optional.admits("anonymous", header)
	}
}

// cookieTwice: a session cookie that is there twice could be either.
func cookieTwice(t *testing.T, f Framework) {
	g, rec := guardOf(t, []core.Authenticator{newBearer(t, "r"), sessions{}})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		d.admits("bob", "Cookie: session=bob; theme=dark")
		for _, lines := range [][]string{
			{"Cookie: session=bob; session=alice"}, {"Cookie: session=bob; theme=dark; session=bob"},
		} {
			a := d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, lines...)
			if e := rec.Last(t); e.Reason != core.ReasonAmbiguous || e.Status != http.StatusBadRequest {
				t.Errorf("%s: event %s %d", lines, e.Reason, e.Status)
			}
			challenged(t, lines[0], a, `Bearer realm="r", error="invalid_request"`)
		}
	}
}

// severalKinds: the first scheme that finds credentials of its kind decides,
// and another one does not make good what it refuses.
func severalKinds(t *testing.T, f Framework) {
	later := &scripted{authenticate: func(core.Request) (*core.Principal, error) { return nil, context.Canceled }}
	g, rec := guardOf(t, []core.Authenticator{Names{}, sessions{}, later})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	d.admits("alice", as("alice"), "Cookie: session=bob")
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, as("bad"), "Cookie: session=bob")
	if e := rec.Last(t); e.Scheme != "Name" {
		t.Errorf("scheme %q decided", e.Scheme)
	}
	d.admits("bob", "Authorization: Other x", "Cookie: session=bob")
	if e := rec.Last(t); e.Scheme != "Session" || e.PrincipalID != "bob" {
		t.Errorf("scheme %q found %q", e.Scheme, e.PrincipalID)
	}
	if n := later.asked.Load(); n != 0 {
		t.Errorf("a later scheme was asked %d times", n)
	}
}
