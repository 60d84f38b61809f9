package jwttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core/internal/jwstest"
)

// noon is what the service's clock shows, in seconds since 1970.
const noon = 1_800_000_000

// What the service expects of a token.
const (
	issuer   = "https://issuer.example/realm"
	audience = "reports"
	subject  = "alice"
)

// claims is a good claims set. A member given takes the place of the good one
// of its name; one given without a value (`"exp"`) is left out.
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

// header is a header for alg that names the issuer's key for it, with further
// members.
func header(alg string, members ...string) string {
	own := fmt.Sprintf(`"alg":%q,"typ":"JWT","kid":%q`, alg, kid(alg))
	return "{" + strings.Join(append([]string{own}, members...), ",") + "}"
}

// token is a token by the issuer's key for alg, header and claims spelt as
// given.
func (k *keys) token(t testing.TB, alg, header, claims string) string {
	t.Helper()
	return signed(t, alg, k.signing[alg], unsigned(header, claims))
}

// good is a good token by the issuer's key for alg.
func (k *keys) good(t testing.TB, alg string, members ...string) string {
	t.Helper()
	return k.token(t, alg, header(alg), claims(members...))
}

// unsigned is what of a token is signed (RFC 7515 §5.1).
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
