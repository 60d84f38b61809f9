package authtest

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/bearer"
	"github.com/sallyport-go/sallyport/core/challenge"
)

var challengeSemantics = []testCase{
	{"A08 only quote and backslash are escaped", escaping},
	{"A09 no text breaks out of a parameter", injection},
	{"A11 no parameter twice in a challenge", parameterTwice},
	{"invariant 2 a scheme without a challenge gets one", fallback},
}

// escaping: RFC 9110 §5.6.4.
func escaping(t *testing.T, f Framework) {
	for realm, want := range map[string]string{
		`a"b\c`:             `realm="a\"b\\c"`,
		`a", evil="b`:       `realm="a\", evil=\"b"`,
		"it's 100% <ok>, =": `realm="it's 100% <ok>, ="`,
	} {
		d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: everyScheme(t, realm)})
		a := d.get()
		cs, err := a.challenges()
		if err != nil || len(cs) != 4 {
			t.Fatalf("realm %q: %v, %v", realm, cs, err)
		}
		for i, c := range cs[:2] {
			if got, _ := c.Param("realm"); got != realm {
				t.Errorf("realm %q arrives as %q", realm, got)
			}
			if line := a.Header.Values("WWW-Authenticate")[i]; !strings.Contains(line, want) {
				t.Errorf("realm %q: line %q lacks %s", realm, line, want)
			}
		}
	}
}

// injection: text from outside cannot end a parameter, a line or the header; a realm that
// cannot be sent is an error at assembly (RFC 9110 §5.5).
func injection(t *testing.T, f Framework) {
	for _, realm := range []string{"a\r\nX-Evil: 1", "a\nb", "a\x00b", "caf\u00e9", "\xff", "a\tb", "a\x7fb"} {
		if _, err := bearer.New(realm, tokens{}); err == nil {
			t.Errorf("bearer takes realm %q", realm)
		}
		if _, err := basic.New(realm, passwords); err == nil {
			t.Errorf("basic takes realm %q", realm)
		}
		if _, err := challenge.New("Name", challenge.Param{Name: "realm", Value: realm}); err == nil {
			t.Errorf("a challenge takes realm %q", realm)
		}
	}
	var scopes []string
	g, _ := guardOf(t, []core.Authenticator{bearerOn(t, tokens{})},
		core.WithAuthorizer(AuthorizerFunc(func(*core.Principal, core.Access) (core.Decision, error) {
			return core.Decision{Scopes: scopes}, nil
		})))
	d := newDoor(t, f, Gate{Kind: "Authorize", Guard: g})
	for _, text := range []string{"a\r\nX-Evil: 1", `a" , evil="b`, "a\x00b", "caf\u00e9", `a\`} {
		scopes = []string{"read", text}
		a := d.get("Authorization: Bearer bob")
		refused(t, text, a, http.StatusForbidden, core.CodeInsufficientScope)
		if line := a.Header.Get("WWW-Authenticate"); line != `Bearer realm="r", error="insufficient_scope", scope="read"` {
			t.Errorf("scope %q: %q", text, line)
		}
		a = d.get("Authorization: Bearer " + "described." + base64.RawURLEncoding.EncodeToString([]byte(text)))
		cs, err := a.challenges()
		if err != nil || a.Status != http.StatusUnauthorized || len(cs) != 1 || len(cs[0].Params()) != 2 || a.Header.Get("X-Evil") != "" {
			t.Errorf("description %q: %d %v %v", text, a.Status, cs, err)
		}
	}
}

// parameterTwice: a scheme cannot make a challenge with a repeated parameter; in
// credentials it is refused where parameters are read (RFC 9110 §11.2).
func parameterTwice(t *testing.T, f Framework) {
	params := []challenge.Param{{Name: "realm", Value: "a"}, {Name: "Realm", Value: "b"}}
	if c, err := challenge.New("Name", params...); err == nil {
		t.Errorf("a challenge has a parameter twice: %s", c)
	}
	g, _ := guardOf(t, []core.Authenticator{parameters{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	d.admits("bob", `Authorization: Param user=bob`)
	d.admits("bob", `Authorization: PARAM USER="bob"`)
	d.admits("bob", `Authorization: Param a=b, user = "b\ob"`)
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, `Authorization: Param user="bob", user="eve"`)
	d.refuses(http.StatusUnauthorized, core.CodeInvalidCredentials, `Authorization: Param user=bob, USER=bob`)
}

// fallback: a scheme that names no challenge for a 401 gets a plain one.
func fallback(t *testing.T, f Framework) {
	g, _ := guardOf(t, []core.Authenticator{silent{}})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	if v := a.Header.Get("WWW-Authenticate"); v != `Silent realm="restricted"` {
		t.Errorf("challenge %q", v)
	}
}

// silent is a scheme without challenges.
type silent struct{ Names }

func (silent) Scheme() core.Scheme { return byHeader("Silent") }

func (silent) Challenges(core.Request, error) []challenge.Challenge { return nil }

// parameters is a scheme whose credentials are parameters.
type parameters struct{ Names }

func (parameters) Scheme() core.Scheme { return byHeader("Param") }

func (parameters) Authenticate(_ context.Context, r core.Request) (*core.Principal, error) {
	field, n := r.Header("Authorization")
	if n == 0 {
		return nil, core.ErrNoCredentials
	}
	c, err := challenge.ParseCredentials(field)
	if err != nil {
		return nil, &core.CredentialError{Reason: core.ReasonMalformed, Err: err}
	}
	if !strings.EqualFold(c.Scheme, "Param") {
		return nil, core.ErrNoCredentials
	}
	user, _ := c.Param("user")
	return core.NewPrincipal(core.PrincipalInfo{ID: user})
}
