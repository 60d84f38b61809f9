package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/watch"
)

// loads is a key file that tells when it has been loaded.
type loads struct {
	apikey.File
	done chan error
}

func (l *loads) Load(name string, data []byte) error {
	err := l.File.Load(name, data)
	l.done <- err
	return err
}

func (l *loads) await(t *testing.T) {
	t.Helper()
	select {
	case err := <-l.done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(authtest.TimeLimit(2 * time.Minute)):
		t.Fatal("the key file is not loaded")
	}
}

// F04: a service watches the key file. A key made on the command line is good,
// and once it is revoked there the next request is refused.
func TestKeysMadeAndRevokedWhileServing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "api.keys")
	newKey := func(owner string) string {
		t.Helper()
		got := run(t, dir, "", "apikey", "new", "-f", file, "--owner", owner, "--expires", "1h")
		if got.code != 0 {
			t.Fatalf("got %+v", got)
		}
		return strings.TrimSpace(got.stdout)
	}
	first := newKey("ci-bot")
	keys := &loads{done: make(chan error, 16)}
	w, err := watch.Load(file, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	keys.await(t)
	srv := httptest.NewServer(serving(t, keys))
	defer srv.Close()

	expectAnswer(t, srv, "", "401 ")
	expectAnswer(t, srv, first, "200 ci-bot")
	second := newKey("erin")
	keys.await(t)
	expectAnswer(t, srv, second, "200 erin")
	expectAnswer(t, srv, first, "200 ci-bot")

	id, _, _ := strings.Cut(first, ".")
	if got := run(t, dir, "", "apikey", "revoke", "-f", file, id, "--reason", "lost"); got != (outcome{0, id + "\n", ""}) {
		t.Fatalf("got %+v", got)
	}
	keys.await(t)
	expectAnswer(t, srv, first, "401 ")
	expectAnswer(t, srv, second, "200 erin")

	if got := run(t, dir, "", "apikey", "revoke", "-f", file, "--owner", "erin"); got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	keys.await(t)
	expectAnswer(t, srv, second, "401 ")
	if got := run(t, dir, "", "apikey", "list", "-f", file); strings.Count(got.stdout, "revoked") != 4 || got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

// serving answers with the ID of whoever has a key.
func serving(t *testing.T, keys apikey.Store) http.Handler {
	t.Helper()
	scheme, err := apikey.New("reports", keys)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := core.NewGuard([]core.Authenticator{scheme}, core.WithObserver(core.LogObserver(slog.New(slog.DiscardHandler))))
	if err != nil {
		t.Fatal(err)
	}
	return httpauth.Authenticate(guard)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, httpauth.Principal(r).ID())
	}))
}

// expectAnswer asks with a key, "" for none, and compares status and, of 200,
// the body.
func expectAnswer(t *testing.T, srv *httptest.Server, key, want string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got := fmt.Sprintf("%d ", resp.StatusCode)
	if resp.StatusCode == http.StatusOK {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got += string(body)
	}
	if got != want || resp.StatusCode == http.StatusUnauthorized != (resp.Header.Get("WWW-Authenticate") == `ApiKey realm="reports", header="X-API-Key"`) {
		t.Errorf("got %q with challenge %q, want %q", got, resp.Header.Get("WWW-Authenticate"), want)
	}
}
