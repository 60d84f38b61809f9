//go:build unix

package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

var attemptBlocks = regexp.MustCompile("(?ms)^```yaml sallyport-attempts-redis\n(.*?)^```$")

// TestAttemptsInRedis: two instances of the file on the page count together.
func TestAttemptsInRedis(t *testing.T) {
	addr, _ := server(t, "")
	t.Setenv("STATE_REDIS", "redis://"+addr)
	t.Setenv("STATE_KEY", strings.Repeat("k", 32))
	page, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	block := attemptBlocks.FindSubmatch(page)
	if block == nil {
		t.Fatal("the page shows no file")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"s.yaml": string(block[1]) + "  address: {failures: 1, per: 5m, burst: 3}\n", "users.htdigest": "ann:shop:" + strings.Repeat("a", 64) + "\n", "users.htpasswd": "ann:$2a$10$KZ5kDTJu4kBdbkvCBVzwJOZGXk7XQFV7nVrv3BtRNIqEuVdvJJ9Hu\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var handlers []http.Handler
	for range 2 {
		s, err := setup.Open(filepath.Join(dir, "s.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		handlers = append(handlers, httpauth.Authenticate(s.Guard())(http.NotFoundHandler()))
	}
	ask := func(client int) (got []int) {
		for _, instance := range []int{0, 0, 0, 0, 1, 1, 1} {
			r := httptest.NewRequest("GET", "https://app.example/", nil)
			r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", client)
			r.SetBasicAuth(fmt.Sprint("nobody", len(got)), "wrong")
			w := httptest.NewRecorder()
			handlers[instance].ServeHTTP(w, r)
			got = append(got, w.Code)
		}
		return got
	}
	// The second instance makes one attempt before it hears of the others. A server
	// that does not answer within 250 ms is left alone for a second and more, in which
	// each counts by itself: then another client is asked for.
	want := []int{401, 401, 401, 429, 401, 429, 429}
	var got []int
	for client := range 200 {
		if got = ask(client); slices.Equal(got, want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("%v, want %v", got, want)
}

// TestReplaysInRedis: the kind opens, with a fallback and without.
func TestReplaysInRedis(t *testing.T) {
	t.Setenv("STATE_REDIS", "redis://127.0.0.1:1")
	text := "realm: shop\nbearer: {issuer: 'https://issuer.example', audience: shop}\n" +
		"dpop: {address: 'https://shop.example', replays: {redis: {url: '${STATE_REDIS}'}}, replay_fallback: true}\n"
	opened(t, text)
	opened(t, strings.Replace(text, "true", "false", 1))
}

// TestReady asks all the stores that one server is, and names each once it is gone.
func TestReady(t *testing.T) {
	addr, kill := server(t, "")
	t.Setenv("STATE_REDIS", "redis://"+addr)
	t.Setenv("STATE_KEY", strings.Repeat("k", 32))
	dir := t.TempDir()
	for name, text := range map[string]string{
		"s.yaml": `realm: shop
bearer: {issuer: 'https://issuer.example', audience: shop, jwks: jwks.json}
dpop: {address: 'https://shop.example', replays: {redis: {url: '${STATE_REDIS}'}}}
digest: {htdigest: users.htdigest, nonce_key: '${STATE_KEY}', counts: {redis: {url: '${STATE_REDIS}'}}}
session: {store: {redis: {url: '${STATE_REDIS}'}}}
attempts: {store: {redis: {url: '${STATE_REDIS}'}}, store_key: '${STATE_KEY}'}
`,
		"users.htdigest": "ann:shop:" + strings.Repeat("a", 64) + "\n",
		"jwks.json":      `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"` + strings.Repeat("A", 43) + `"}]}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := setup.Open(filepath.Join(dir, "s.yaml"), setup.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Error(err)
	}
	kill()
	ended, end := context.WithCancel(t.Context())
	end()
	var found setup.Errors
	if err := s.Ready(ended); !errors.As(err, &found) || len(found) != 4 {
		t.Errorf("without the server: %v", err)
	}
}
