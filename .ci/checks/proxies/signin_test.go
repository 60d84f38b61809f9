package proxies_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/checks/internal/openidprovider"
	"github.com/sallyport-go/sallyport/examples/shared/programs"
)

// signInPlaces are where the page says that the part for signing in goes, in front of a
// line of the configuration.
var signInPlaces = map[string]string{
	"nginx": "    location = /_check {\n", "caddy": "        request_header -X-Auth*\n", "haproxy": "    http-request lua.sallyport\n",
}

// signInBehindEach runs sallyport serve with a sign-in at an OpenID provider behind each
// proxy: with the files of docs/proxies.md, in which addresses are replaced.
func signInBehindEach(t *testing.T, program string) {
	t.Setenv("CLIENT_SECRET", "secret of shop")
	for _, by := range askers {
		t.Run("sign-in/"+by.language, func(t *testing.T) {
			u, guard := newUpstream(t), programs.Unused(t)
			place := signInPlaces[by.language]
			site := "http://" + by.start(t, documented(t, by.language, "forwardauth",
				place, documented(t, by.language, "signin")+place, "127.0.0.1:8080", guard, "127.0.0.1:9000", u.addr))
			provider := openidprovider.Start(t, "alice", map[string]string{"shop": site})
			file := filepath.Join(t.TempDir(), "sallyport.yaml")
			for path, text := range map[string]string{
				file: documented(t, "yaml", "signin", "https://shop.example.com", site, "https://id.example.com", provider.URL,
					"proxy: nginx", "proxy: "+by.language, "session:\n", "session:\n  plain_http_for_development: true\n"),
				filepath.Join(filepath.Dir(file), "policy.csv"): "p, alice, /reports, GET\n",
			} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			startGuard(t, program, "serve", "-c", file, "--addr", guard)
			lifeBehind(t, site, provider.URL, u)
		})
	}
}

// lifeBehind signs in behind a proxy, opens pages, and signs out.
func lifeBehind(t *testing.T, site, provider string, u *upstream) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: authtest.TimeLimit(time.Minute)}
	do := func(method, path string, fields ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, site+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(text)
	}
	wantScript := func(status int) {
		t.Helper()
		got, _ := do("GET", "/reports")
		if challenge := got.Header.Get("WWW-Authenticate"); got.StatusCode != status || (challenge != "") != (status == http.StatusUnauthorized) {
			t.Errorf("a script: %d with challenge %q, want %d", got.StatusCode, challenge, status)
		}
	}
	wantScript(http.StatusUnauthorized)
	u.take()
	got, text := do("GET", "/reports?page=2", "Accept", "text/html") // all the way to the provider and back
	if got.StatusCode != http.StatusOK || text != "from upstream" || got.Request.URL.String() != site+"/reports?page=2" {
		t.Fatalf("%s: %d %q", got.Request.URL, got.StatusCode, text)
	}
	if asked := u.take(); len(asked) != 1 || asked[0].Header.Get("X-Auth-User") != "alice" || asked[0].RequestURI != "/reports?page=2" {
		t.Errorf("the application got %d requests: %v", len(asked), asked)
	}
	wantScript(http.StatusOK)
	if got, _ := do("GET", "/admin"); got.StatusCode != http.StatusForbidden {
		t.Errorf("what alice may not see: %d, want 403", got.StatusCode)
	}
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if got, _ := do("POST", "/openid/logout", "Origin", "https://evil.example"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a logout by another site: %d, want 403", got.StatusCode)
	}
	wantScript(http.StatusOK)
	got, _ = do("POST", "/openid/logout", "Origin", site)
	to, err := url.Parse(got.Header.Get("Location"))
	if err != nil || got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to.String(), provider) || to.Query().Get("post_logout_redirect_uri") != site+"/" {
		t.Errorf("logout: %d to %v, want the provider", got.StatusCode, to)
	}
	wantScript(http.StatusUnauthorized)
	if asked := u.take(); len(asked) != 2 {
		t.Errorf("the application got %d requests, want the two that passed", len(asked))
	}
}
