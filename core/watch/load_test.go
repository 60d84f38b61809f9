package watch

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/apikey"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// store is a Loader that refuses what holds "bad".
type store struct {
	mu     sync.Mutex
	loaded string
	called chan string
}

func newStore() *store { return &store{called: make(chan string, 10_000)} }

func (s *store) Load(name string, data []byte) error {
	defer func() { s.called <- string(data) }()
	for i, line := range bytes.Split(data, []byte("\n")) {
		if bytes.Contains(line, []byte("bad")) {
			return fmt.Errorf("%s:%d: bad line", name, i+1)
		}
		if bytes.Contains(line, []byte("panic")) {
			panic("ouch")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loaded = string(data)
	return nil
}

func (s *store) holds(t *testing.T, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loaded != want {
		t.Errorf("loaded is %q, want %q", s.loaded, want)
	}
}

// await waits until the store has been given want.
func (s *store) await(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-s.called:
			if got == want {
				return
			}
		case <-deadline:
			t.Fatalf("Load is not called with %q", want)
		}
	}
}

// loading loads file into a new store and keeps what WithErrorObserver is told.
func loading(t *testing.T, file string, opts ...Option) (*Watcher, *store, chan error) {
	t.Helper()
	s, reported := newStore(), make(chan error, 10_000)
	w, err := Load(file, s, append([]Option{
		WithPollInterval(time.Hour), WithDebounce(10*time.Millisecond, 500*time.Millisecond),
		WithErrorObserver(func(err error) { reported <- err }),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return w, s, reported
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "users")
	write(t, file, "good\nbad\n")
	used, err := Read([]string{file})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		into Loader
		opts []Option
		want string
	}{
		"a nil loader":   {file, nil, nil, "watch: the loader is nil"},
		"a refused file": {file, newStore(), nil, file + ":2: bad line"},
		"a missing file": {file + "2", newStore(), nil, file + "2: stat: no such file"},
		"no JWK set":     {file + "2", jwtauth.NewKeyFile(), nil, `"sallyport keys new"`},
		"no API keys":    {file + "2", new(apikey.File), nil, `"sallyport apikey new`},
		"a URL":          {"https://idp.example/jwks.json?key=secret", newStore(), nil, "watch: the path is a URL, but only files can be watched"},
		"no path":        {"", newStore(), nil, "watch: a path is empty"},
		"a directory":    {dir, newStore(), nil, "is a directory"},
		"suffixes":       {dir, newStore(), []Option{WithSuffixes(".csv")}, "watch: suffixes are for directories"},
		"content in use": {file, newStore(), []Option{WithCurrentSnapshot(used)}, "watch: WithCurrentSnapshot is for New"},
		"a bad option":   {file, newStore(), []Option{nil}, "watch: option 1 is nil"},
		"a large file":   {file, newStore(), []Option{WithMaxFileSize(3)}, "larger than 3 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var told []error
			opts := append(c.opts, WithErrorObserver(func(err error) { told = append(told, err) }))
			w, err := Load(c.path, c.into, opts...)
			if err == nil {
				_ = w.Close()
			}
			if w != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load = %v, %v; want %q", w, err, c.want)
			}
			if len(told) > 0 {
				t.Errorf("WithErrorObserver is told %v besides", told)
			}
		})
	}
}

func TestLoadLoadsBeforeItReturnsAndOnEachEdit(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	write(t, file, "one")
	w, s, _ := loading(t, file)
	s.holds(t, "one")
	s.await(t, "one")

	replace(t, file, "two")
	s.await(t, "two")
	if changed, err := w.Trigger(t.Context()); changed || err != nil {
		t.Errorf("Trigger without an edit = %v, %v", changed, err)
	}
	s.holds(t, "two")

	write(t, file, "three")
	if _, err := w.Trigger(t.Context()); err != nil {
		t.Errorf("Trigger = %v", err)
	}
	s.holds(t, "three")
}

// H06: a refused edit is told with its line, and the last good state stays.
func TestLoadTellsOfRefusedEditsAndKeepsTheLastGoodState(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	write(t, file, "good")
	w, s, reported := loading(t, file)
	next := func() error {
		t.Helper()
		select {
		case err := <-reported:
			return err
		case <-time.After(patience):
			t.Fatal("WithErrorObserver is not called")
		}
		return nil
	}

	replace(t, file, "good\nbad")
	want := file + ":2: bad line"
	if err := next(); err.Error() != want {
		t.Errorf("WithErrorObserver is told %q, want %q", err, want)
	}
	s.holds(t, "good")
	// The reload has ended when Trigger gets its turn. Whoever insists hears it.
	if changed, err := w.Trigger(t.Context()); changed || err == nil || err.Error() != want {
		t.Errorf("Trigger = %v, %v", changed, err)
	}
	if err := next(); err.Error() != want {
		t.Errorf("WithErrorObserver is told %q, want %q", err, want)
	}
	if err := w.Err(); err == nil || err.Error() != want {
		t.Errorf("Err = %v", err)
	}

	remove(t, file)
	if err := next(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("WithErrorObserver is told %v", err)
	}
	s.holds(t, "good")

	var panicked *core.PanicError
	replace(t, file, "panic")
	if err := next(); !errors.As(err, &panicked) {
		t.Errorf("WithErrorObserver is told %v", err)
	}
	s.holds(t, "good")

	replace(t, file, "better")
	s.await(t, "better")
	if _, err := w.Trigger(t.Context()); err != nil || w.Err() != nil {
		t.Errorf("Trigger = %v, Err = %v", err, w.Err())
	}
	s.holds(t, "better")
}

// lines is a writer that passes on each line.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestLoadLogsRefusedEditsByDefault(t *testing.T) { // not parallel: it sets the default logger
	logged, before := make(lines, 100), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(logged, nil)))
	defer slog.SetDefault(before)
	file := filepath.Join(t.TempDir(), "users")
	write(t, file, "good")
	w, err := Load(file, newStore())
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, "good\nbad")
	select {
	case line := <-logged:
		if !strings.Contains(line, "level=WARN") || !strings.Contains(line, file+":2: bad line") {
			t.Errorf("logged %q", line)
		}
	case <-time.After(patience):
		t.Error("nothing is logged")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestLoadOutlastsAPanicOfOnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	write(t, file, "good")
	w, s, _ := loading(t, file, WithErrorObserver(func(error) { panic("ouch") }))
	write(t, file, "bad")
	if _, err := w.Trigger(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ":1: bad line") {
		t.Errorf("Trigger = %v", err)
	}
	replace(t, file, "new")
	s.await(t, "new")
}
