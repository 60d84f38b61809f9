package bundle_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestHandlerReadsWhatIsKnownOnce: If-None-Match, which may be a megabyte, is not read
// at each look at the file. So a change to another bundle that it names ends the wait.
func TestHandlerReadsWhatIsKnownOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.bundle")
	f := newFile(t, path)
	publish(t, f, 0, "one")
	h := newHandler(t, path)
	ask := func(t *testing.T, known string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.Header.Set("If-None-Match", known)
		r.Header.Set("Prefer", "wait=60")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	older := ask(t, "").Header().Get("ETag")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, f, 1, "two")
	newer := ask(t, "").Header().Get("ETag")
	synctest.Test(t, func(t *testing.T) {
		began, answered := time.Now(), make(chan *httptest.ResponseRecorder)
		go func() { answered <- ask(t, newer+","+older) }()
		synctest.Wait()
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if w := <-answered; w.Code != 304 || w.Header().Get("ETag") != older || time.Since(began) > time.Second {
			t.Errorf("after %v: %d %v", time.Since(began), w.Code, w.Header())
		}
	})
}
