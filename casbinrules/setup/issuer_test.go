package setup_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/jwtauth"
	"github.com/sallyport-go/sallyport/core/jwtsign"
)

// newFolder is a folder with a development key, its set, and a file that names
// them, with more lines below bearer.
func newFolder(t *testing.T, lines string) (file string, signer *jwtsign.Signer) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	key, err := jwtsign.GenerateKey(jwtsign.WithDevelopment())
	must(err)
	set, err := jwtauth.NewKeySet(key.Public())
	must(err)
	text, err := set.MarshalJSON()
	must(err)
	must(os.WriteFile(filepath.Join(dir, "jwks.json"), text, 0o600))
	file = filepath.Join(dir, "sallyport.yaml")
	must(os.WriteFile(file, []byte("realm: r\nbearer:\n  issuer: http://localhost:8080\n  audience: reports\n  jwks: jwks.json\n"+lines+"watch: false\n"), 0o600))
	signer, err = jwtsign.New(key, jwtsign.WithIssuer("http://localhost:8080"), jwtsign.WithAudience("reports"))
	must(err)
	return file, signer
}

func TestReadIssuer(t *testing.T) {
	file, _ := newFolder(t, "")
	got, err := setup.ReadIssuer(file, "")
	want := setup.Issuer{Issuer: "http://localhost:8080", Audience: []string{"reports"}, JWKS: filepath.Join(filepath.Dir(file), "jwks.json")}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := setup.ReadIssuer(file+".none", ""); err == nil {
		t.Error("a file that is not there says something")
	}
}

func TestReadOneOfSeveralIssuers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sallyport.yaml")
	text := "realm: r\nbearer:\n  issuers:\n    - {issuer: 'https://a.example', audience: a}\n    - {issuer: 'https://b.example', audience: b}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "a", "https://a.example": "a", "https://b.example": "b", "https://c.example": "a"} {
		got, err := setup.ReadIssuer(file, name)
		if err != nil || got.Issuer != "https://"+want+".example" || len(got.Audience) != 1 || got.Audience[0] != want {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
}

func TestDevelopmentKeysAreLocalUnlessTheFileSaysOtherwise(t *testing.T) {
	for lines, want := range map[string]int{"": 503, "  development: local\n": 503, "  development: anywhere\n": 200} {
		file, signer := newFolder(t, lines)
		s, err := setup.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Sign(jwtsign.Token{Subject: "erin"})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil) // from 192.0.2.1
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		gate := httpauth.Authenticate(s.Guard())
		gate(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d %s", lines, w.Code, w.Body)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
