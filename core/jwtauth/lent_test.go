package jwtauth_test

import (
	"context"
	"testing"
	"unsafe"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// TestKeepsNothingOfTokens: adapters lend tokens that are overwritten after the request,
// so neither principals, errors nor cached values may share their memory.
func TestKeepsNothingOfTokens(t *testing.T) {
	good := hs256(t, with(`"roles":["admin"],"jti":"one"`))
	for name, token := range map[string]string{
		"good":             good,
		"forged":           good[:len(good)-8] + "AAAAAAAA",
		"expired":          hs256(t, with(`"exp":1`)),
		"another issuer":   hs256(t, with(`"iss":"https://other.example"`)),
		"another audience": hs256(t, with(`"aud":"someone-else"`)),
		"two parts":        good[:20],
		"not base64":       "%%%%." + good,
	} {
		keys := hmacSet(t, "", "HS256")
		one := newVerifier(t, keys, jwtauth.WithRoles("roles"))
		several, err := jwtauth.NewIssuers(newVerifier(t, keys, jwtauth.WithRoles("roles")))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []interface {
			VerifyToken(context.Context, string) (*core.Principal, error)
			KeepsNothing() any
		}{one, several} {
			if v.KeepsNothing() != any(v) {
				t.Errorf("%T does not declare that it keeps nothing", v)
			}
			buffer := []byte(token)
			p, err := v.VerifyToken(context.Background(), unsafe.String(&buffer[0], len(buffer))) //nolint:gosec // lent, and overwritten below
			before := describe(p, err)
			for i := range buffer {
				buffer[i] = '#'
			}
			if after := describe(p, err); after != before {
				t.Errorf("%s, %T: %s has become %s", name, v, before, after)
			}
			if again, _ := v.VerifyToken(context.Background(), token); again != p {
				t.Errorf("%s, %T: it is not cached as it was", name, v)
			}
		}
	}
}

// describe returns all of a principal, or an error's text.
func describe(p *core.Principal, err error) string {
	if err != nil {
		return err.Error()
	}
	text := p.ID()
	for role := range p.Roles() {
		text += " " + role
	}
	for _, name := range []string{"iss", "jti", "sub"} {
		claim, _ := p.Claim(name)
		s, _ := claim.(string)
		text += " " + s
	}
	return text
}
