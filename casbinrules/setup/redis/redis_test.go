//go:build unix

package redis

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source/redis/redistest"
)

// patience is how long a server may take to answer; more than 10 s cannot be set.
var patience = min(authtest.TimeLimit(5*time.Second), 10*time.Second)

// server starts a Redis, which wants the password unless it is "", and returns its
// address and what ends it.
func server(t *testing.T, password string) (addr string, kill func()) {
	t.Helper()
	var args []string
	if password != "" {
		args = append(args, "--requirepass", password)
	}
	s := redistest.Start(t, args...)
	return s.Addr(), s.Crash
}

// opened is a setup of a file with text.
func opened(t *testing.T, text string) *setup.Setup {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sallyport.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := setup.Open(path, setup.WithLogger(slog.New(slog.DiscardHandler)))
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

// login signs erin in and returns the cookie.
func login(t *testing.T, s *setup.Setup) *http.Cookie {
	t.Helper()
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin", Scheme: "Basic"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "https://app.example/login", nil)
	fields, err := s.Sessions().Login(t.Context(), httpauth.Request(r), p)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	httpauth.AddFields(w.Header(), fields...)
	return w.Result().Cookies()[0]
}

// asks is the status of a request with a cookie.
func asks(s *setup.Setup, c *http.Cookie) int {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	r.AddCookie(c)
	w := httptest.NewRecorder()
	httpauth.Authenticate(s.Guard())(http.NotFoundHandler()).ServeHTTP(w, r)
	return w.Code
}

// TestSharedSessions: two processes share the sessions of one server, and an
// outage of it is 503.
func TestSharedSessions(t *testing.T) {
	addr, kill := server(t, "not told")
	t.Setenv("STATE_REDIS", "redis://:not%20told@"+addr)
	text := "realm: shop\nsession:\n  store:\n    redis: {url: '${STATE_REDIS}', timeout: " + patience.String() + "}\n"
	one, two := opened(t, text), opened(t, text)
	cookie := login(t, one)
	if got := asks(two, cookie); got != 404 {
		t.Errorf("the other process: %d, want 404 from the handler", got)
	}
	if err := two.Sessions().LogoutEverywhere(t.Context(), "erin"); err != nil {
		t.Fatal(err)
	}
	if got := asks(one, cookie); got != 401 {
		t.Errorf("after signing out: %d, want 401", got)
	}
	kill()
	if got := asks(one, cookie); got != 503 {
		t.Errorf("without the server: %d, want 503", got)
	}
}

// TestTLS: sessions and revocations are kept by a server whose certificate an authority
// of a file has signed. A log that cannot be read would be an error of Open.
func TestTLS(t *testing.T) {
	s, ca := redistest.StartTLS(t)
	t.Setenv("STATE_REDIS", s.URL())
	text := "realm: shop\nsession:\n  store:\n    redis: {url: '${STATE_REDIS}', ca: '" + ca + "', timeout: " + patience.String() + "}\n" +
		"revocations: {store: {redis: {url: '${STATE_REDIS}', ca: '" + ca + "', timeout: " + patience.String() + "}}}\n"
	one, two := opened(t, text), opened(t, text)
	if got := asks(two, login(t, one)); got != 404 {
		t.Errorf("the other process: %d, want 404 from the handler", got)
	}
	untrusting := opened(t, strings.Replace(text, ", ca: '"+ca+"'", "", 1))
	if got := asks(untrusting, login(t, one)); got != 503 {
		t.Errorf("without the authority: %d, want 503", got)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sallyport.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, ca, empty)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Open(path); err == nil || !strings.Contains(err.Error(), "no certificate in "+empty) {
		t.Errorf("a file without certificates: %v", err)
	}
}

// TestSettings refuses what cannot work, with its place.
func TestSettings(t *testing.T) {
	t.Setenv("LOCAL", "redis://127.0.0.1:1")
	t.Setenv("REMOTE", "redis://cache.example:6379")
	for text, want := range map[string]string{
		"{url: '${REMOTE}'}":             ":2:19: session.store.redis: redisstate: ",
		"{url: '${LOCAL}', timeout: 0s}": ":2:19: session.store.redis: redisstate: ",
		"{}":                             ":2:19: session.store.redis: url is missing",
		"{url: 'redis://a:1'}":           ":2:32: session.store.redis.url: a secret must not be written into this file",
		"{url: '${LOCAL}', servise: x}":  `:2:44: session.store.redis: unknown key "servise" (did you mean service?)`,
	} {
		path := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(path, []byte("realm: a\nsession: {store: {redis: "+text+"}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := setup.Open(path)
		if err == nil || !strings.HasPrefix(strings.TrimPrefix(err.Error(), path), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

var blocks = regexp.MustCompile("(?ms)^```yaml sallyport-redis\n(.*?)^```$")

// TestDocumentation opens the file on the page.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("STATE_REDIS", "redis://127.0.0.1:1")
	found := blocks.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		t.Error("the page shows no file")
	}
	for _, b := range found {
		opened(t, string(b[1]))
	}
}
