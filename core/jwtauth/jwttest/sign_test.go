package jwttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/internal/jwstest"
)

// noon is the time of the service's clock, in seconds since 1970.
const noon = 1_800_000_000

// What the service expects in a token.
const (
	issuer   = "https://issuer.example/realm"
	audience = "reports"
	subject  = "alice"
)

// claims returns good claims. A given member replaces that of the same name; one without
// a value (`"exp"`) is left out.
func claims(members ...string) string {
	all := []string{
		`"iss":"` + issuer + `"`, `"aud":"` + audience + `"`, `"sub":"` + subject + `"`, fmt.Sprintf(`"exp":%d`, noon+60),
	}
	for _, m := range members {
		name, _, given := strings.Cut(m, ":")
		all = slices.DeleteFunc(all, func(have string) bool { return strings.HasPrefix(have, name+":") })
		if given {
			all = append(all, m)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// header returns a header for alg with the kid of the issuer's key, and further members.
func header(alg string, members ...string) string {
	own := fmt.Sprintf(`"alg":%q,"typ":"JWT","kid":%q`, alg, kid(alg))
	return "{" + strings.Join(append([]string{own}, members...), ",") + "}"
}

// token signs header and claims, verbatim, with the issuer's key for alg.
func (k *keys) token(t testing.TB, alg, header, claims string) string {
	t.Helper()
	return signed(t, alg, k.signing[alg], unsigned(header, claims))
}

// good is a valid token signed with the issuer's key for alg.
func (k *keys) good(t testing.TB, alg string, members ...string) string {
	t.Helper()
	return k.token(t, alg, header(alg), claims(members...))
}

// unsigned is the signed part of a token (RFC 7515 §5.1).
func unsigned(header, claims string) string {
	return base64url([]byte(header)) + "." + base64url([]byte(claims))
}

func signed(t testing.TB, alg string, key any, text string) string {
	t.Helper()
	s, err := jwstest.Sign(alg, key, text)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64url(s)
}
