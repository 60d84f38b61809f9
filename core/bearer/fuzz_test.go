package bearer_test

import (
	"context"
	"errors"
	"regexp"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// FuzzAuthenticate checks every field value against the grammar of RFC 6750
// §2.1, written a second time as a regular expression.
func FuzzAuthenticate(f *testing.F) {
	for _, s := range []string{"", "Bearer", "Bearer ", "Bearer abc", "bEaReR  a.b.c==", "Bearer\ta", "Bearer a b", "Basic dTpw", "Bearer2 a", "Bearer,a", "Bearer/a", " Bearer a\t"} {
		f.Add(s)
	}
	good := regexp.MustCompile(`\A[ \t]*(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)[ \t]*\z`)
	ours := regexp.MustCompile("\\A[ \t]*(?i:bearer)([^A-Za-z0-9!#$%&'*+\\-.^_`|~]|\\z)")
	f.Fuzz(func(t *testing.T, field string) {
		if len(field) > 1000 {
			return
		}
		v := &verifier{}
		p, err := newAuthenticator(t, v).Authenticate(context.Background(), request(field))
		var bad *core.CredentialError
		switch m := good.FindStringSubmatch(field); {
		case m != nil:
			if err != nil || p == nil || len(v.tokens) != 1 || v.tokens[0] != m[1] {
				t.Fatalf("%q: error %v, verifier saw %q", field, err, v.tokens)
			}
		case p != nil || len(v.tokens) != 0:
			t.Fatalf("%q: passed as %q", field, v.tokens)
		case ours.MatchString(field) && !errors.As(err, &bad):
			t.Fatalf("%q: error %v, want a CredentialError", field, err)
		case !ours.MatchString(field) && !errors.Is(err, core.ErrNoCredentials):
			t.Fatalf("%q: error %v, want ErrNoCredentials", field, err)
		}
	})
}
