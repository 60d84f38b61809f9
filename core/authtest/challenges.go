package authtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/internal/must"
	"github.com/sallyport-go/sallyport/core/rule"
)

var challengeCases = []testCase{
	{"invariant 2 A07 every challenge parses and has a quoted realm", everyChallenge},
	{"A06 one line a challenge, in the order of the schemes", oneLineEach},
}

// everyScheme returns a guard that accepts Basic, Bearer, Name and Session.
func everyScheme(t *testing.T, realm string, opts ...core.Option) *core.Guard {
	t.Helper()
	g, _ := guardOf(t, []core.Authenticator{must.Have(bearer.New(realm, tokens{}))(t), newBasic(t, realm), Names{}, sessions{}}, opts...)
	return g
}

// bearerOn returns a Bearer scheme with a verifier, such as tokens.
func bearerOn(t *testing.T, v bearer.TokenVerifier, opts ...bearer.Option) core.Authenticator {
	t.Helper()
	return must.Have(bearer.New("r", v, opts...))(t)
}

// newBasic returns a Basic scheme with passwords as its verifier.
func newBasic(t *testing.T, realm string, opts ...basic.Option) core.Authenticator {
	t.Helper()
	return must.Have(basic.New(realm, passwords, opts...))(t)
}

// everyChallenge checks that the 401s of all gates carry well-formed challenges, and that
// no 403 carries one, except for insufficient_scope (RFC 6750 §3.1).
func everyChallenge(t *testing.T, f Framework) {
	g := everyScheme(t, "the realm", core.WithAuthorizer(only("alice")))
	scope := rule.Scope("read", "write")
	for _, kind := range kinds {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g, Rules: []core.Authorizer{scope}})
		for _, credentials := range []string{
			"", "Name bad", "Name bob", "Bearer", "Bearer expired", "Bearer a b", "Bearer bob", "Basic", "Basic x",
			"Basic Og==", "Basic Ym9iOm9wZW4gc2VzYW1l", "Basic Ym9iOndyb25n", "Digest username=\"bob\"", "Other", "\t", "=",
		} {
			a := d.get("Authorization: " + credentials)
			cs, err := a.challenges()
			if err != nil {
				t.Errorf("%s as %q: %v", kind, credentials, err)
			}
			switch scoped := kind == "Require"; {
			case a.Status == http.StatusUnauthorized && len(cs) != 4:
				t.Errorf("%s as %q: %d challenges on 401", kind, credentials, len(cs))
			case a.Status == http.StatusForbidden && !scoped && len(cs) != 0:
				t.Errorf("%s as %q: challenge %v on 403", kind, credentials, cs)
			case a.Status == http.StatusForbidden && scoped:
				if code, _ := cs[0].Param("error"); len(cs) != 1 || cs[0].Scheme() != "Bearer" || code != core.CodeInsufficientScope {
					t.Errorf("%s as %q: challenges %v for a scope", kind, credentials, cs)
				}
			case a.Status == http.StatusOK && len(cs) != 0:
				t.Errorf("%s as %q: challenge %v on 200", kind, credentials, cs)
			}
		}
	}
}

// oneLineEach checks that each challenge has its own field line, since clients misread
// joined ones (RFC 9110 §11.6.1).
func oneLineEach(t *testing.T, f Framework) {
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: everyScheme(t, "r")})
	want := []string{`Bearer realm="r"`, `Basic realm="r", charset="UTF-8"`, `Name realm="test"`, `Session realm="test"`}
	if got := d.get().Header.Values("WWW-Authenticate"); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("lines %q, want %q", got, want)
	}
}
