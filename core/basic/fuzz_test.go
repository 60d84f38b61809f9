package basic

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/core"
)

func FuzzAuthenticate(f *testing.F) {
	for _, s := range []string{
		"", "Basic", "Basic Og==", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic dGVzdDoxMjPCow==", "basic  YTpiOmM=",
		"Basic\tYTpi", "Basic YTpi\nYTpi", "Basic YTpiYx==", "Basic YTo_Pz8-", "Bearer x", "Basic YTr/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		var asked, user, password = false, "", ""
		a := mustNew(t, VerifierFunc(func(_ context.Context, u, p string) (*core.Principal, error) {
			asked, user, password = true, u, p
			return core.NewPrincipal(core.PrincipalInfo{ID: u})
		}))
		_, err := a.Authenticate(t.Context(), &request{authorization: []string{field}})
		if !asked {
			var bad *core.CredentialError
			if !errors.Is(err, core.ErrNoCredentials) && !errors.As(err, &bad) {
				t.Errorf("error %v is neither no credentials nor 401", err)
			}
			return
		}
		text := user + ":" + password
		if user == "" || password == "" || strings.Contains(user, ":") || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("the verifier was given %q, %q", user, password)
		}
		if !strings.HasSuffix(strings.TrimRight(field, " \t"), " "+base64.StdEncoding.EncodeToString([]byte(text))) {
			t.Errorf("%q was read as %q", field, text)
		}
	})
}
