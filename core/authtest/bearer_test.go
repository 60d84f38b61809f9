package authtest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/rule"
)

var bearerSemantics = []testCase{
	{"invariant 3 kinds of bad tokens are told apart", bearerReasons},
	{"B01 no credentials, no error code", bearerPlain},
	{"B04 no token, or none by the grammar", bearerMalformed},
	{"B05 a token twice", bearerTwice},
	{"B06 B07 only the header is read", bearerElsewhere},
	{"B09 descriptions are fixed texts", bearerDescriptions},
	{"B10 B12 scopes are exact and all named", bearerScopes},
	{"B11 a role refused asks for no scope", bearerRoles},
	{"B14 an issuer is compared exactly", bearerIssuer},
}

// bearerPlain: RFC 6750 §3.1, last paragraph; the same holds for the body.
func bearerPlain(t *testing.T, f Framework) {
	d, rec := bearerDoor(t, f)
	for _, header := range []string{"Accept: */*", "Authorization: Basic Ym9iOng=", "Authorization:", "Authorization: Bearer2 x"} {
		a := d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired, header)
		challenged(t, header, a, `Bearer realm="r"`)
		if e := rec.Last(t); e.Reason != core.ReasonNoCredentials {
			t.Errorf("%s: reason %s", header, e.Reason)
		}
	}
}

// bearerMalformed: RFC 6750 §2.1. Such text never reaches the verifier.
func bearerMalformed(t *testing.T, f Framework) {
	verifier := new(counting)
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, verifier)})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	for _, credentials := range []string{
		"Bearer", "Bearer ", "bearer", "Bearer a b", "Bearer a,b", "Bearer a, Bearer b", `Bearer "a"`, "Bearer a=b",
		"Bearer =", "Bearer a%20", "Bearer a\x80", "Bearer a;b", "Bearer\ta", "Bearer \ta", "Bearer token=abc",
	} {
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: "+credentials)
		challenged(t, credentials, a, `Bearer realm="r", error="invalid_token", error_description="The access token is malformed"`)
		if e := rec.Last(t); e.Reason != core.ReasonMalformed || e.Scheme != "Bearer" {
			t.Errorf("%q: event %s %s", credentials, e.Scheme, e.Reason)
		}
	}
	if n := verifier.asked.Load(); n != 0 {
		t.Errorf("the verifier was asked %d times", n)
	}
	d.admits("-_~+/09Az", "Authorization: Bearer -_~+/09Az.==")
}

// bearerTwice: RFC 6750 §3.1, invalid_request.
func bearerTwice(t *testing.T, f Framework) {
	verifier := new(counting)
	g, rec := guardOf(t, []core.Authenticator{bearerOn(t, verifier)})
	for _, kind := range []string{"Authenticate", "Optional"} {
		d := newDoor(t, f, Gate{Kind: kind, Guard: g})
		for _, header := range []string{
			"Authorization: Bearer bob\nAuthorization: Bearer bob",
			"Authorization: Bearer bob\nauthorization: Bearer alice",
			"Authorization: Bearer bob\nX-Other: 1\nAUTHORIZATION:",
		} {
			a := d.refuses(http.StatusBadRequest, core.CodeInvalidRequest, header)
			challenged(t, header, a, `Bearer realm="r", error="invalid_request"`)
			if e := rec.Last(t); e.Reason != core.ReasonAmbiguous {
				t.Errorf("%s: reason %s", header, e.Reason)
			}
		}
	}
	if n := verifier.asked.Load(); n != 0 {
		t.Errorf("the verifier was asked %d times", n)
	}
}

// bearerElsewhere: the transports of RFC 6750 §2.2 and §2.3 and cookies are
// not read at all.
func bearerElsewhere(t *testing.T, f Framework) {
	verifier := new(counting)
	g, _ := guardOf(t, []core.Authenticator{bearerOn(t, verifier)})
	d := newDoor(t, f, Gate{Kind: "Authenticate", Guard: g})
	form := "access_token=bob"
	for _, request := range []string{
		Request("GET", "/door?access_token=bob"),
		Request("GET", "/door", "Cookie: access_token=bob; Authorization=Bearer bob"),
		Request("GET", "/door", "Proxy-Authorization: Bearer bob", "X-Authorization: Bearer bob", "Authorization_: Bearer bob"),
		Request("POST", "/door", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 16") + "\n\n" + form,
	} {
		a := Send(t, d.addr, request)
		refused(t, request, a, http.StatusUnauthorized, core.CodeAuthenticationRequired)
		challenged(t, request, a, `Bearer realm="r"`)
	}
	if n := verifier.asked.Load() + d.runs.Load(); n != 0 {
		t.Errorf("verifier or handler ran %d times", n)
	}
	d.admits("bob", "Authorization: Bearer bob", "Cookie: access_token=eve")
}

// bearerDescriptions: error_description is printable ASCII without quote and
// backslash, and no library's text (RFC 6750 §3).
func bearerDescriptions(t *testing.T, f Framework) {
	d, _ := bearerDoor(t, f)
	describe := func(text string) Answer {
		token := "described." + base64.RawURLEncoding.EncodeToString([]byte(text))
		return d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer "+token)
	}
	plain := "Bought at 50% off, <really> it's {ok}; a=b"
	challenged(t, plain, describe(plain), `Bearer realm="r", error="invalid_token", error_description="`+plain+`"`)
	for _, text := range []string{`a "quote"`, `a\b`, "a\r\nb", "caf\u00e9", "a\x00", "a\tb", "\x7f", ""} {
		challenged(t, text, describe(text), `Bearer realm="r", error="invalid_token"`)
	}
	for bad := range badTokens {
		a := d.get("Authorization: Bearer " + bad)
		for _, line := range a.Header.Values("WWW-Authenticate") {
			if strings.Contains(line+a.Body, leak) {
				t.Errorf("%s: the cause is told: %s %s", bad, line, a.Body)
			}
		}
	}
}

// bearerScopes: RFC 6750 §3: exact, case-sensitive, in no order; a refusal
// names all that are needed.
func bearerScopes(t *testing.T, f Framework) {
	d, rec := bearerDoor(t, f, rule.Scope("read", "write"))
	for _, token := range []string{
		"bob", "bob.read", "bob.write", "bob.readonly.write", "bob.Read.Write", "bob.READ.write", "bob.read+write", "bob.rea.write",
	} {
		a := d.refuses(http.StatusForbidden, core.CodeInsufficientScope, "Authorization: Bearer "+token)
		challenged(t, token, a, `Bearer realm="r", error="insufficient_scope", scope="read write"`)
		if e := rec.Last(t); e.Reason != core.ReasonMissingScope || e.PrincipalID != "bob" {
			t.Errorf("%s: event %s %q", token, e.Reason, e.PrincipalID)
		}
	}
	for _, token := range []string{"bob.read.write", "bob.write.read", "bob.other.write.more.read"} {
		d.admits("bob", "Authorization: Bearer "+token)
	}
}

// bearerRoles: a new token would not help, so the challenge does not ask for one.
func bearerRoles(t *testing.T, f Framework) {
	for _, r := range []core.Authorizer{
		rule.Role("admin"), rule.Claim("plan", "pro"), only("alice"), rule.Any(rule.Role("a"), rule.Claim("region", "eu")),
		rule.Public("upgrade", "Your plan does not have it.", rule.Scope("read")),
	} {
		d, _ := bearerDoor(t, f, r)
		a := d.get("Authorization: Bearer bob")
		if a.Status != http.StatusForbidden || a.code() == core.CodeInsufficientScope {
			t.Errorf("%v: %d %s", r, a.Status, a.Body)
		}
		challenged(t, a.Body, a, "")
	}
}

// bearerIssuer: a verifier's objection to the issuer is 401, and the issuer is compared
// without normalization.
func bearerIssuer(t *testing.T, f Framework) {
	d, rec := bearerDoor(t, f)
	token := func(iss string) string {
		return "Authorization: Bearer issuer." + base64.RawURLEncoding.EncodeToString([]byte(iss))
	}
	for _, iss := range []string{
		issuer + "/", "https://issuer.example:443/realm", "https://ISSUER.example/realm", "http://issuer.example/realm",
		"https://issuer.example/Realm", " " + issuer, "",
	} {
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, token(iss))
		challenged(t, iss, a, `Bearer realm="r", error="invalid_token"`)
		if e := rec.Last(t); e.Reason != core.ReasonWrongIssuer {
			t.Errorf("issuer %q: reason %s", iss, e.Reason)
		}
	}
	d.admits("issuer", token(issuer))
}

// bearerReasons: events have the reason; clients are told as much as the scheme allows.
func bearerReasons(t *testing.T, f Framework) {
	d, rec := bearerDoor(t, f)
	d.refuses(http.StatusUnauthorized, core.CodeAuthenticationRequired)
	if e := rec.Last(t); e.Reason != core.ReasonNoCredentials || e.Scheme != "" || e.Cause != nil {
		t.Errorf("no credentials: %s %q %v", e.Reason, e.Scheme, e.Cause)
	}
	d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer !")
	if e := rec.Last(t); e.Reason != core.ReasonMalformed {
		t.Errorf("malformed: %s", e.Reason)
	}
	for token, bad := range badTokens {
		a := d.refuses(http.StatusUnauthorized, core.CodeInvalidToken, "Authorization: Bearer "+token)
		e := rec.Last(t)
		if e.Reason != bad.Reason || e.Outcome != core.OutcomeUnauthenticated || e.Scheme != "Bearer" || e.PrincipalID != "" {
			t.Errorf("%s: event %+v", token, e)
		}
		if e.Cause == nil || !strings.Contains(e.Cause.Error(), leak) {
			t.Errorf("%s: cause %v", token, e.Cause)
		}
		cs, err := a.challenges()
		if err != nil || len(cs) != 1 {
			t.Fatalf("%s: %v %v", token, cs, err)
		}
		if got, _ := cs[0].Param("error_description"); got != bad.Description {
			t.Errorf("%s: description %q", token, got)
		}
	}
}
