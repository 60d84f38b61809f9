package bundle_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// served is a store that publishes to a file and reads over HTTP.
type served struct {
	*bundle.File
	over *bundle.Source
}

func (s served) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	return s.over.Fetch(ctx, known)
}

func (s served) Listen(ctx context.Context, hint func()) error { return s.over.Listen(ctx, hint) }

func newFile(t testing.TB, path string) *bundle.File {
	t.Helper()
	f, err := bundle.NewFile(path, "default", nil, key(1))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func newSource(t testing.TB, address string, opts ...bundle.Option) *bundle.Source {
	t.Helper()
	s, err := bundle.New(address, public(key(1)), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newHandler(t testing.TB, path string) *bundle.Handler {
	t.Helper()
	h, err := bundle.NewHandler(path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestStore runs the suite on files, and on files read over HTTP.
func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		sourcetest.Run(t, func(t *testing.T, name string) source.Store { return newFile(t, filepath.Join(dir, name)) })
	})
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		var mu sync.Mutex
		handlers := map[string]*bundle.Handler{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			h := handlers[r.URL.Path]
			if h == nil {
				h, _ = bundle.NewHandler(filepath.Join(dir, r.URL.Path))
				handlers[r.URL.Path] = h
			}
			mu.Unlock()
			h.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		sourcetest.Run(t, func(t *testing.T, name string) source.Store {
			return served{newFile(t, filepath.Join(dir, name)), newSource(t, server.URL+"/"+name)}
		})
	})
}

func publish(t testing.TB, f *bundle.File, base source.Revision, text string) {
	t.Helper()
	if _, err := f.Publish(t.Context(), source.Publication{Base: base, Files: sourcetest.Files(text), Note: source.Note{Author: "ann"}}); err != nil {
		t.Fatal(err)
	}
}

// TestFileTimes: two publications within a second have two times, for servers that derive
// ETags from seconds and size.
func TestFileTimes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	f := newFile(t, path)
	last := time.Time{}
	for r := range source.Revision(4) {
		publish(t, f, r, "x")
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if now := info.ModTime().Truncate(time.Second); !now.After(last) {
			t.Errorf("revision %d has time %v, and the previous one %v", r+1, now, last)
		} else {
			last = now
		}
	}
}

// TestFileRefuses: a foreign file is not overwritten, and no part of a publication is
// left behind.
func TestFileRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.bundle")
	if err := os.WriteFile(path, encoded(t, 9, "x", key(2)), 0o644); err != nil {
		t.Fatal(err)
	}
	f := newFile(t, path)
	p := source.Publication{Base: 9, Files: sourcetest.Files("y"), Note: source.Note{Author: "ann"}}
	if _, err := f.Publish(t.Context(), p); !errors.Is(err, bundle.ErrUntrusted) {
		t.Errorf("over a bundle of an untrusted key: %v", err)
	}
	reader, err := bundle.NewFile(path, "default", public(key(2)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Publish(t.Context(), p); err == nil || !strings.Contains(err.Error(), "no private key") {
		t.Errorf("without a private key: %v", err)
	}
	staging, err := bundle.NewFile(path, "staging", public(key(2)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := staging.Fetch(t.Context(), source.State{}); err == nil {
		t.Error("a bundle of another set is accepted")
	}
	both, err := bundle.NewFile(path, "default", public(key(2)), key(1))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, both, 9, "y")
	if _, err := bundle.NewFile(path, "default", public(key(2), key(1)), key(1)); err != nil {
		t.Errorf("a key to sign with that is trusted too: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 { // the bundle and its history
		t.Errorf("%v, %v", entries, err)
	}
	for what, err := range map[string]error{
		"no path": second(bundle.NewFile("", "default", public(key(1)))), "no key": second(bundle.NewFile(path, "default", nil)),
		"twice": second(bundle.NewFile(path, "default", public(key(1), key(1)))), "short": second(bundle.NewFile(path, "default", nil, key(1)[:5])),
		"no set": second(bundle.NewFile(path, "", public(key(1)))),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
