package source_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// failing is a store that can be unavailable.
type failing struct {
	sourcetest.Memory
	down atomic.Bool
}

func (f *failing) Fetch(ctx context.Context, known source.State) (source.Fetched, error) {
	if f.down.Load() {
		return source.Fetched{}, errDown
	}
	return f.Memory.Fetch(ctx, known)
}

// put publishes files, given as pairs of name and text.
func (f *failing) put(t *testing.T, base source.Revision, texts ...string) {
	t.Helper()
	var files []source.File
	for i := 0; i < len(texts); i += 2 {
		files = append(files, source.File{Name: texts[i], Content: []byte(texts[i+1])})
	}
	if _, err := f.Publish(t.Context(), source.Publication{Base: base, Files: files, Note: source.Note{Author: "ann"}}); err != nil {
		t.Fatal(err)
	}
}

// keyFile returns a key file with one key, the key's ID and the key.
func keyFile(t *testing.T) (text, id, key string) {
	t.Helper()
	key, id, hash := apikey.Generate()
	data, err := apikey.Append("keys", nil, apikey.Info{ID: id, Hash: hash, Owner: "ci-bot"})
	if err != nil {
		t.Fatal(err)
	}
	return string(data), id, key
}

// counting counts loads.
type counting struct {
	apikey.File
	loads int
}

func (c *counting) Load(name string, data []byte) error {
	c.loads++
	return c.File.Load(name, data)
}

// TestFollowFile: keys from a source come and go with its revisions; a revision without
// the file, or with an invalid one, changes nothing; an unchanged file is not loaded
// again.
func TestFollowFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, keys := new(failing), new(counting)
		one, oneID, _ := keyFile(t)
		two, twoID, _ := keyFile(t)
		s.put(t, 0, "policy.csv", "p, a, b, c\n")
		follow := func() (*source.Follower, error) { return source.FollowFile(t.Context(), s, "api.keys", keys) }
		if _, err := follow(); err == nil || !strings.Contains(err.Error(), "no file api.keys") {
			t.Errorf("without the file: %v", err)
		}
		s.put(t, 1, "api.keys", "nonsense")
		if _, err := follow(); err == nil || !strings.Contains(err.Error(), "api.keys:1:") {
			t.Errorf("nonsense: %v", err)
		}
		s.put(t, 2, "api.keys", one)
		f, err := follow()
		if err != nil {
			t.Fatal(err)
		}
		good := func(id string) bool {
			_, err := keys.LookupKey(t.Context(), id)
			return err == nil
		}
		loads := keys.loads
		for i, c := range []struct {
			text     string
			rejected bool
			has      string
			loads    int
		}{
			{one, false, oneID, 0}, {"nonsense", true, oneID, 1}, {"nonsense", true, oneID, 1}, {two, false, twoID, 1}, {"", true, twoID, 0}, {two, false, twoID, 0},
		} {
			files := []string{"policy.csv", strings.Repeat("x", i+1)}
			if c.text != "" {
				files = append(files, "api.keys", c.text)
			}
			s.put(t, source.Revision(3+i), files...)
			synctest.Wait()
			if st := f.Status(); (st.Err != nil) != c.rejected || !good(c.has) {
				t.Errorf("step %d: %+v", i, st)
			}
			if keys.loads-loads != c.loads {
				t.Errorf("step %d: loaded %d times", i, keys.loads-loads)
			}
			loads = keys.loads
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	for what, err := range map[string]error{
		"no loader": second(source.FollowFile(t.Context(), new(failing), "x", nil)), "a path up": second(source.FollowFile(t.Context(), new(failing), "../x", new(apikey.File))),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestWhileConfirmed: past the bound all credentials of the scheme are 503, right or
// wrong; requests without any are 401 as before, and recovery of the source ends it.
func TestWhileConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, keys := new(failing), new(apikey.File)
		text, _, key := keyFile(t)
		s.put(t, 0, "api.keys", text)
		path := filepath.Join(t.TempDir(), "good.json")
		open := func() (*source.Follower, http.Handler) {
			t.Helper()
			f, err := source.FollowFile(t.Context(), s, "api.keys", keys, source.WithMaxStaleness(time.Minute, nil), source.WithLastGoodFile(path))
			if err != nil {
				t.Fatal(err)
			}
			scheme, err := apikey.New("reports", keys)
			if err != nil {
				t.Fatal(err)
			}
			bounded, err := source.WhileConfirmed(f, scheme)
			if err != nil {
				t.Fatal(err)
			}
			guard, err := core.NewGuard([]core.Authenticator{bounded}, core.WithObserver(core.ObserverFunc(func(_ context.Context, e core.Event) {
				if (e.Status == 503) != (e.Reason == source.ReasonStale) {
					t.Errorf("%d %s", e.Status, e.Reason)
				}
			})))
			if err != nil {
				t.Fatal(err)
			}
			return f, httpauth.Authenticate(guard)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		}
		f, app := open()
		wants := func(right, wrong, none int) {
			t.Helper()
			for key, want := range map[string]int{key: right, key[:len(key)-6] + "000000": wrong, "": none} {
				r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
				if key != "" {
					r.Header.Set("X-API-Key", key)
				}
				w := httptest.NewRecorder()
				app.ServeHTTP(w, r)
				if w.Code != want || (w.Header().Get("WWW-Authenticate") != "") != (want == 401) {
					t.Errorf("key %.8s: %d %v, want %d", key, w.Code, w.Header(), want)
				}
			}
		}
		wants(200, 401, 401)
		s.down.Store(true)
		time.Sleep(30 * time.Second)
		wants(200, 401, 401)
		time.Sleep(time.Minute)
		wants(503, 503, 401)
		s.down.Store(false)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		wants(200, 401, 401)
		_ = f.Close()
		s.down.Store(true)
		time.Sleep(time.Hour)
		f, app = open() // with the last good file, an hour old
		wants(503, 503, 401)
		_ = f.Close()
	})
	s := new(failing)
	text, _, _ := keyFile(t)
	s.put(t, 0, "api.keys", text)
	f, err := source.FollowFile(t.Context(), s, "api.keys", new(apikey.File))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := source.WhileConfirmed(f, nil); err == nil {
		t.Error("no scheme: no error")
	}
	scheme, err := apikey.New("reports", new(apikey.File))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.WhileConfirmed(f, scheme); err == nil {
		t.Error("no bound: no error")
	}
}
