package authtest

import (
	"context"
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

var credentialSemantics = []testCase{
	{"A10 schemes in any letter case", schemeCase},
	{"A12 a token68 and nothing after it", token68},
	{"A13 spaces separate, tabs do not", separators},
	{"A15 an unsupported scheme is no credentials", unsupported},
	{"several kinds of credentials", severalKinds},
}

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

// unsupported: the answer is exactly that to no credentials (RFC 6750 §3.1).
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

// severalKinds: the first scheme that finds credentials of its kind decides; another one
// does not make up for its refusal.
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
