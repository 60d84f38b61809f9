package oidc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// file writes a configuration file.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sallyport.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened is a setup of a file with text.
func opened(t *testing.T, text string) *setup.Setup {
	t.Helper()
	s, err := setup.Open(file(t, text), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestSignIn opens a file and begins a sign-in at its provider.
func TestSignIn(t *testing.T) {
	mux := http.NewServeMux()
	idp := httptest.NewServer(mux)
	defer idp.Close()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"%[1]s/keys","authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/token"}`, idp.URL)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":%q}]}`, strings.Repeat("A", 43))
	})
	t.Setenv("CLIENT_SECRET", "not told")
	text := fmt.Sprintf(`realm: shop
session:
  sign_in_page: /login
  sign_in:
    oidc:
      address: https://shop.example.com
      providers:
        - {issuer: %q, client: shop, secret: "${CLIENT_SECRET}", scopes: [email], claims: {roles: realm_access.roles}}
      path: /auth/
`, idp.URL)
	s := opened(t, text)
	ctx, cancel := context.WithTimeout(t.Context(), authtest.TimeLimit(time.Minute))
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Error(err)
	}
	r := httptest.NewRequest(http.MethodGet, "https://shop.example.com/login?return_to=%2Freports", nil)
	w := httptest.NewRecorder()
	httpauth.Serve(s.SignIn().SignInEndpoint()).ServeHTTP(w, r)
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), idp.URL+"/authorize?") {
		t.Fatalf("%d to %v, %v", w.Code, to, err)
	}
	for name, want := range map[string]string{
		"client_id": "shop", "scope": "openid email", "redirect_uri": "https://shop.example.com/auth/callback/default", "code_challenge_method": "S256",
	} {
		if got := to.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	shown, err := setup.Show(file(t, text))
	if err != nil || bytes.Contains(shown, []byte("not told")) || !bytes.Contains(shown, []byte("client: shop")) {
		t.Errorf("%v: %s", err, shown)
	}
	schema, err := setup.Schema()
	if err != nil || !bytes.Contains(schema, []byte(`"id_prefix"`)) {
		t.Errorf("the schema lacks the kind: %v", err)
	}
}

// TestServe has the endpoints beside the guard that a proxy asks, and leads there who
// opens a page. A sign-in page where the guard is already is an error.
func TestServe(t *testing.T) {
	open := func(page, more string) (http.Handler, error) {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"policy.csv": "p, alice, /reports, GET\n",
			"sallyport.yaml": fmt.Sprintf(`realm: shop
session:
  sign_in_page: %[1]s
  sign_in: {oidc: {address: "https://shop.example.com", providers: [{issuer: "http://127.0.0.1:1", client: shop}]%[2]s}}
answers: {sign_in_redirect: %[1]s}
policy: {model: rbac, files: policy.csv}
proxies: {trusted: 127.0.0.1/32}
serve: {proxy: caddy}
`, page, more),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := setup.Open(filepath.Join(dir, "sallyport.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler)))
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.Handler()
	}
	h, err := open("/openid/sign-in", "")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string, fields ...string) *http.Response {
		r := httptest.NewRequest(method, path, nil)
		r.RemoteAddr = "127.0.0.1:1234"
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	question := []string{"X-Forwarded-Method", "GET", "X-Forwarded-Uri", "/reports?page=2", "X-Forwarded-Host", "shop.example.com"}
	if got := ask("GET", "/check", question...); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a script: %d, want 401", got.StatusCode)
	}
	got := ask("GET", "/check", append(question, "Accept", "text/html")...)
	if to := got.Header.Get("Location"); got.StatusCode != http.StatusSeeOther || to != "/openid/sign-in?return_to=%2Freports%3Fpage%3D2" {
		t.Errorf("a page: %d to %q", got.StatusCode, to)
	}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/openid/sign-in", 503}, // the provider is down
		{"GET", "/openid/callback/default", 303},
		{"POST", "/openid/callback/default", 405},
		{"POST", "/openid/logout", 204},
		{"GET", "/openid/logout", 405},
		{"POST", "/openid/logout/default", 400},
		{"GET", "/openid/other", 404},
		{"GET", "/openid/", 404},
	} {
		if got := ask(c.method, c.path).StatusCode; got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
	for _, page := range []string{"/check", "/check/in", "/refusal", "/healthz", "/metrics", "/openid/logout", "/openid/logout/in",
		"/openid/callback/in", "/in/", "/%7Bin%7D", "/"} {
		if _, err := open(page, ""); err == nil || !strings.Contains(err.Error(), "sallyport.yaml:3:17: session.sign_in_page: sign_in_page") {
			t.Errorf("%s: %v, want an error with its place", page, err)
		}
	}
	for path, want := range map[string]string{
		"/check/": "/check/callback/ is already used", "/healthz/": "/healthz/callback/ is already used", "/refusal/": "/refusal/callback/ is already used",
		"/auth": "begin and end with a slash", "auth/": "a slash", "/": "a slash", "/a//": "a slash", "/{a}/": "a slash", "/a/../": "a slash", "/a%2f/": "a slash",
	} {
		if _, err := open("/in", ", path: '"+path+"'"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sallyport.yaml:") {
			t.Errorf("path %s: %v, want %s with its place", path, err, want)
		}
	}
	if h, err = open("/openid/logout", ", path: /auth/"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/auth/callback/default": 303, "/openid/callback/default": 404, "/auth/logout": 405, "/openid/logout": 503} {
		if got := ask("GET", path).StatusCode; got != want {
			t.Errorf("%s with another path: %d, want %d", path, got, want)
		}
	}
}

// TestSettings refuses what cannot work, with its place.
func TestSettings(t *testing.T) {
	const one = "{issuer: 'https://id.example', client: shop}"
	for text, want := range map[string]string{
		"{address: 'https://a.example', providers: []}":                                                        "the list is empty",
		"{address: 'https://a.example'}":                                                                       "providers is missing",
		"{providers: [" + one + "]}":                                                                           "address is missing",
		"{address: 'http://a.example', providers: [" + one + "]}":                                              "must begin with https://",
		"{address: 'https://a.example', providers: [{client: shop}]}":                                          "issuer is missing",
		"{address: 'https://a.example', providers: [{issuer: 'http://b', client: shop}]}":                      "provider 1: openid: issuer",
		"{address: 'https://a.example', providers: [" + one + "," + one + "]}":                                 "two providers are called",
		"{address: 'https://a.example', providers: [{issuer: 'https://id.example', client: a, secret: open}]}": "a secret must not be written into this file",
	} {
		_, err := setup.Open(file(t, "realm: a\nsession: {sign_in_page: /login, sign_in: {oidc: "+text+"}}\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sallyport.yaml:2:") {
			t.Errorf("%s: %v, want %s with its place", text, err, want)
		}
	}
	_, err := setup.Open(file(t, "realm: a\nsession: {sign_in: {oidc: {address: 'https://a.example', providers: ["+one+"]}}}\n"))
	if err == nil || !strings.Contains(err.Error(), "WithSignInPage") {
		t.Errorf("without a page: %v", err)
	}
	_, err = setup.Open(file(t, "realm: a\nsession: {sign_in: oidc}\n"))
	if err == nil || !strings.Contains(err.Error(), "(write sign_in: {oidc: {…}})") {
		t.Errorf("without settings: %v", err)
	}
}

var blocks = regexp.MustCompile("(?ms)^```yaml sallyport-oidc\n(.*?)^```$")

// TestDocumentation opens the file on the page and compares the tables of keys.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLIENT_SECRET", "not told")
	found := blocks.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		t.Error("the page shows no file")
	}
	for _, b := range found {
		opened(t, string(b[1]))
	}
	for _, key := range []string{
		"address", "providers", "path", "logout_redirect", "issuer", "client", "secret", "name", "label", "id_prefix", "scopes", "claims", "leeway", "timeout",
		"id", "roles", "roles_from_keys", "tenant",
	} {
		if !bytes.Contains(text, fmt.Appendf(nil, "| `%s` |", key)) {
			t.Errorf("the page lacks %q", key)
		}
	}
}
