package jwtauth_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

// Common mistakes in a first set-up are answered with the next step.
func TestFirstErrorsNameTheNextStep(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	key, err := jwtsign.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.Public().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string) error { _, err := jwtauth.OpenJWKS(path); return err }
	discover := func(issuer string) error { _, err := jwtauth.Discover(issuer); return err }
	fetch := func(address string) error { _, err := jwtauth.Fetch(address); return err }
	verify := func(issuer string) error {
		_, err := jwtauth.New(jwtauth.NewKeyFile(), jwtauth.WithIssuer(issuer), jwtauth.WithAudience("r"))
		return err
	}
	for _, tc := range []struct {
		name string
		err  error
		want string
	}{
		{"no file", open(filepath.Join(dir, "jwks.json")), `"sallyport keys new"`},
		{"private PEM", open(file("private.pem", string(private))), `"sallyport keys jwks"`},
		{"public PEM", open(file("public.pem", string(public))), "KeySetFromPEM"},
		{"PEM behind text", open(file("text.pem", "hello\n"+string(public))), "this is PEM"},
		{"https URL", open("https://idp.example/jwks.json?key=secret"), "use Fetch"},
		{"http URL", open("http://idp.example/jwks.json"), "or Discover"},
		{"HTML", open(file("page.html", "<!doctype html>")), "this is a page"},
		{"metadata", open(file("metadata.json", `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/jwks"}`)), "use Discover"},
		{"a key alone", open(file("key.json", `{"kty":"OKP"}`)), "put it into a set"},
		{"RSA without alg", open(file("rsa.json", `{"keys":[`+strings.Replace(rfcRSAKey, `"alg":"RS256",`, "", 1)+`]}`)), "WithRSAAlgorithm"},
		{"OpenID metadata as issuer", discover("https://idp.example/realms/a/.well-known/openid-configuration"), `give the issuer, usually "https://idp.example/realms/a"`},
		{"OAuth metadata as issuer", discover("https://idp.example/.well-known/oauth-authorization-server/a"), `usually "https://idp.example"`},
		{"metadata as iss", verify("https://idp.example/.well-known/openid-configuration"), `usually "https://idp.example"`},
		{"file as URL", fetch("jwks.json"), "OpenJWKS"},
		{"file as issuer", discover("/etc/jwks.json"), "OpenJWKS"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) || strings.Contains(tc.err.Error(), "secret") {
			t.Errorf("%s: %v does not say %s", tc.name, tc.err, tc.want)
		}
	}
	if err := open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	signer, err := jwtsign.New(key, jwtsign.WithIssuer("https://idp.example"), jwtsign.WithAudience("account"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Sign(jwtsign.Token{Subject: "erin"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwtauth.New(signer, jwtauth.WithIssuer("https://idp.example"), jwtauth.WithAudience("reports"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.VerifyToken(t.Context(), token); err == nil || !strings.Contains(err.Error(), "mapper for the audience") {
		t.Errorf("aud account: %v", err)
	}
}

// The reason of a refusal says why no published key can be used, for programs without a
// fetch observer.
func TestNoUsableKeySaysWhy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"keys":[`+strings.Replace(rfcRSAKey, `"alg":"RS256",`, "", 1)+`]}`)
	}))
	defer server.Close()
	keys, err := jwtauth.Fetch(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	v, err := jwtauth.New(keys, jwtauth.WithIssuer("https://idp.example"), jwtauth.WithAudience("reports"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.VerifyToken(t.Context(), rfcRSAToken)
	var down *core.UnavailableError
	if !errors.As(err, &down) || !strings.Contains(err.Error(), "WithRSAAlgorithm (rsa_algorithm)") {
		t.Errorf("%v", err)
	}
}
