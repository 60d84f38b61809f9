package digest

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// TestHostileParameters changes one parameter of a valid and fresh response (D07).
func TestHostileParameters(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"), WithUserHash())
	set := func(name, value string) func(answer) string {
		return func(m answer) string { return m.with(name, value).String() }
	}
	appended := func(text string) func(answer) string {
		return func(m answer) string { return m.String() + text }
	}
	for _, c := range []struct {
		name   string
		change func(answer) string
		want   core.Reason // "" for 400
	}{
		{"no username", set("username", ""), core.ReasonMalformed},
		{"no realm", set("realm", ""), ReasonWrongRealm},
		{"no nonce", set("nonce", ""), ReasonForeignNonce},
		{"no uri", set("uri", ""), core.ReasonMalformed},
		{"no response", set("response", ""), core.ReasonMalformed},
		{"no opaque", set("opaque", ""), ReasonForeignNonce},
		{"D10 no qop", set("qop", ""), core.ReasonMalformed},
		{"D10 no nc", set("nc", ""), core.ReasonMalformed},
		{"D10 no cnonce", set("cnonce", ""), core.ReasonMalformed},
		{"D10 auth-int", set("qop", "auth-int"), core.ReasonMalformed},
		{"D10 a list of qop", set("qop", "auth,auth-int"), core.ReasonMalformed},
		{"D09 no algorithm is MD5", set("algorithm", ""), core.ReasonBadAlgorithm},
		{"D09 MD5", set("algorithm", "MD5"), core.ReasonBadAlgorithm},
		{"D09 not opted in", set("algorithm", "SHA-512-256"), core.ReasonBadAlgorithm},
		{"D18 -sess", set("algorithm", "SHA-256-sess"), core.ReasonBadAlgorithm},
		{"unknown algorithm", set("algorithm", "SHA-1"), core.ReasonBadAlgorithm},
		{"D09 another realm", set("realm", "other"), ReasonWrongRealm},
		{"D09 realm in another letter case", set("realm", "API@example.org"), ReasonWrongRealm},
		{"another opaque", set("opaque", "x"), ReasonForeignNonce},
		{"D13 nc of 7 digits", set("nc", "0000001"), core.ReasonMalformed},
		{"D13 nc of 9 digits", set("nc", "000000001"), core.ReasonMalformed},
		{"D13 nc with a letter", set("nc", "0000000g"), core.ReasonMalformed},
		{"D13 nc with a sign", set("nc", "+0000001"), core.ReasonMalformed},
		{"D13 nc in upper case", set("nc", "0000000A"), core.ReasonMalformed},
		{"D13 nc 0", set("nc", "00000000"), core.ReasonMalformed},
		{"response in upper case", func(m answer) string { return m.with("response", strings.ToUpper(m["response"])).String() }, core.ReasonMalformed},
		{"response too short", func(m answer) string { return m.with("response", m["response"][:63]).String() }, core.ReasonMalformed},
		{"response of MD5's length", func(m answer) string { return m.with("response", m["response"][:32]).String() }, core.ReasonMalformed},
		{"response of zeros", set("response", strings.Repeat("0", 64)), core.ReasonWrongSecret},
		{"another cnonce", set("cnonce", "x"), core.ReasonWrongSecret},
		{"unknown user", set("username", "eve"), core.ReasonUnknownPrincipal},
		{"user in another letter case", set("username", "Bob"), core.ReasonUnknownPrincipal},
		{"D16 user not UTF-8", set("username", "b\xf6b"), core.ReasonMalformed},
		{"control character in the user", set("username", "bob\u0085"), core.ReasonMalformed},
		{"user of 256 bytes", set("username", strings.Repeat("x", 256)), core.ReasonMalformed},
		{"D16 username and username*", set("username*", "UTF-8''bob"), ""},
		{"D17 name with userhash=true", set("userhash", "true"), core.ReasonMalformed},
		{"D17 another value of userhash", set("userhash", "yes"), core.ReasonMalformed},
		{"D14 another path", set("uri", "/other?a=1"), ""},
		{"D14 another query", set("uri", "/door?a=2"), ""},
		{"D14 no query", set("uri", "/door"), ""},
		{"D14 spelt otherwise", set("uri", "/%64oor?a=1"), ""},
		{"A11 a parameter twice", appended(`, nc=00000001`), core.ReasonMalformed},
		{"A11 a name twice in another letter case", appended(`, USERNAME="eve"`), core.ReasonMalformed},
		{"D07 a parameter without =", appended(`, stale`), core.ReasonMalformed},
		{"D07 a parameter without a value", appended(`, stale=`), core.ReasonMalformed},
		{"D07 an open quote", appended(`, x="`), core.ReasonMalformed},
		{"D07 a control character", appended(", x=\"\x01\""), core.ReasonMalformed},
		{"D07 33 parameters", appended(manyParams()), core.ReasonMalformed},
		{"D07 too long", appended(`, x="` + strings.Repeat("x", MaxBytes) + `"`), core.ReasonMalformed},
		{"scheme alone", func(answer) string { return "Digest" }, core.ReasonMalformed},
		{"token68", func(answer) string { return "Digest Ym9iOng=" }, core.ReasonMalformed},
		{"A13 TAB after the scheme", func(m answer) string { return strings.Replace(m.String(), " ", "\t", 1) }, core.ReasonMalformed},
		{"commas", func(answer) string { return "Digest ,,,," }, core.ReasonMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			field := c.change(answers(t, a, SHA256))
			p, err := a.Authenticate(t.Context(), get(field))
			switch {
			case p != nil:
				t.Fatalf("passed: %s", field)
			case c.want == "":
				if !errors.Is(err, core.ErrAmbiguousCredentials) {
					t.Errorf("error %v, want ambiguous credentials", err)
				}
			case reason(t, err) != c.want:
				t.Errorf("%v, want reason %s", err, c.want)
			}
			for _, part := range []string{"bob", "eve", "door"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("D19: %q is leaked in %q", part, err)
				}
			}
		})
	}
}

func manyParams() string {
	var b strings.Builder
	for c := 'a'; c <= 'z'; c++ {
		b.WriteString(", x" + string(c) + "=1")
	}
	return b.String()
}

// TestEquivalentSpellings: RFC 9110 §11.2, RFC 7616 §3.4 and §3.4.5.
func TestEquivalentSpellings(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob", "J\u00e4s\u00f8n Doe", `a"b\c`), WithUserHash())
	for _, c := range []struct {
		name, user string
		spell      func(answer) string
	}{
		{"D07 bare nc, qop and algorithm", "bob", func(m answer) string {
			return strings.NewReplacer(`"00000001"`, "00000001", `"auth"`, "auth", `"SHA-256"`, "SHA-256").Replace(m.String())
		}},
		{"D07 commas and = in quotes", "bob", func(m answer) string { return m.String() + `, x="a, b=\"c\", nc=1"` }},
		{"empty members", "bob", func(m answer) string { return strings.ReplaceAll(m.String(), ", ", " ,, ,") + "," }},
		{"A10 names and scheme in any letter case", "bob", func(m answer) string {
			return strings.NewReplacer("Digest ", "dIGEST ", "username=", "UserName=", "nc=", "NC=").Replace(m.String())
		}},
		{"algorithm in any letter case", "bob", func(m answer) string { return m.with("algorithm", "sha-256").String() }},
		{"an unknown parameter", "bob", func(m answer) string { return m.with("future", "x").String() }},
		{"userhash=false", "bob", func(m answer) string { return m.with("userhash", "FALSE").String() }},
		{"D08 quotes and backslashes in the user", `a"b\c`, answer.String},
		{"D08 escapes that need not be", "bob", func(m answer) string { return strings.Replace(m.String(), `"bob"`, `"\b\o\b"`, 1) }},
		{"D16 raw UTF-8", "J\u00e4s\u00f8n Doe", answer.String},
		{"D16 username*", "J\u00e4s\u00f8n Doe", func(m answer) string {
			return m.with("username", "").with("username*", "UTF-8''J%C3%A4s%C3%B8n%20Doe").String()
		}},
		{"D16 username* with language and userhash=false", "bob", func(m answer) string {
			return m.with("username", "").with("username*", "utf-8'en-GB'%62ob").with("userhash", "false").String()
		}},
		{"D17 userhash", "J\u00e4s\u00f8n Doe", func(m answer) string {
			return m.with("username", HashUser(SHA256, "J\u00e4s\u00f8n Doe", realm)).with("userhash", "true").String()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := answers(t, a, SHA256).with("username", c.user)
			field := c.spell(m.sign(t, SHA256, c.user, secret, "GET"))
			if p, err := a.Authenticate(t.Context(), get(field)); err != nil || p.ID() != c.user {
				t.Errorf("%v, %v: %s", p, err, field)
			}
		})
	}
}

func TestUsernameExtendedIsStrict(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"), WithUserHash())
	for _, value := range []string{
		"bob", "''bob", "UTF-8'bob", "UTF-8''", "UTF-8''b%6", "UTF-8''b%zz", "UTF-8''b*b", "UTF-8''b'b", "ISO-8859-1''bob",
		"UTF-8'%'bob", "UTF-8''b%FFb", "UTF-8''bob%00", `"UTF-8''bob"`,
	} {
		m := answers(t, a, SHA256).with("username", "").with("username*", value)
		if _, err := a.Authenticate(t.Context(), get(m.String())); reason(t, err) != core.ReasonMalformed {
			t.Errorf("D16 %s: %v", value, err)
		}
	}
	m := answers(t, a, SHA256).with("username", "").with("username*", "UTF-8''"+HashUser(SHA256, "bob", realm)).with("userhash", "true").sign(t, SHA256, "bob", secret, "GET")
	if _, err := a.Authenticate(t.Context(), get(m.String())); reason(t, err) != core.ReasonMalformed {
		t.Errorf("D16 with userhash=true: %v", err)
	}
}

func TestUserHashOnlyWhereOffered(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	m := answers(t, a, SHA256).with("username", HashUser(SHA256, "bob", realm)).with("userhash", "true")
	if _, err := a.Authenticate(t.Context(), get(m.String())); reason(t, err) != core.ReasonMalformed {
		t.Errorf("D17: %v", err)
	}
}

// TestTheMethodIsBound: RFC 7616 §3.4.3.
func TestTheMethodIsBound(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	for _, method := range []string{"HEAD", "POST", "DELETE", "get"} {
		r := get(answers(t, a, SHA256).String())
		r.method = method
		if _, err := a.Authenticate(t.Context(), r); reason(t, err) != core.ReasonWrongSecret {
			t.Errorf("D15 %s: %v", method, err)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		name, target, uri string
		same              bool
	}{
		{"the same", "/a?b=c", "/a?b=c", true},
		{"asterisk", "*", "*", true},
		{"absolute uri", "/a?b", "http://app.example/a?b", true},
		{"absolute uri, TLS", "/a?b", "https://app.example/a?b", true},
		{"absolute target", "http://app.example/a?b", "/a?b", true},
		{"absolute both", "http://app.example/a?b", "HTTP://APP.example:80/a?b", true},
		{"empty path", "/", "http://app.example", true},
		{"empty path with a query", "/?a", "http://app.example?a", true},
		{"its own port", "/a", "https://app.example:443/a", true},
		{"another query", "/a?b=c", "/a?b=d", false},
		{"no query", "/a?b", "/a", false},
		{"a query added", "/a", "/a?b", false},
		{"an empty query", "/a", "/a?", false},
		{"letter case", "/a", "/A", false},
		{"percent-encoding", "/a", "/%61", false},
		{"dot segments", "/a", "/b/../a", false},
		{"two slashes", "/a", "//a", false},
		{"another host", "/a", "http://other.example/a", false},
		{"host behind a user", "/a", "http://app.example@other.example/a", false},
		{"user before the host", "/a", "http://bob@app.example/a", false},
		{"another port", "/a", "http://app.example:8080/a", false},
		{"port of another scheme", "/a", "http://app.example:443/a", false},
		{"another scheme", "/a", "ftp://app.example/a", false},
		{"http and https", "http://app.example/a", "https://app.example/a", false},
		{"no host", "/a", "http:///a", false},
		{"path of an absolute uri", "/a", "http://app.example/b", false},
		{"path of an absolute target", "http://app.example/a", "/b", false},
		{"a path that looks absolute", "/http://app.example/a", "http://app.example/a", false},
	} {
		t.Run("D14 "+c.name, func(t *testing.T) {
			r := get()
			r.target = c.target
			if got := sameTarget(c.uri, r); got != c.same {
				t.Errorf("%q for %q: %v", c.uri, c.target, got)
			}
		})
	}
}
