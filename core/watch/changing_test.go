package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestChangesWhileReading: files that change while a later one is read are read again, so
// that all are of one state, and are an error if they never stop. The second file is large
// and read with a pause in the middle, when the change is made.
func TestChangesWhileReading(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(dir string) error
		want   string
	}{
		"edited": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "a.csv"), []byte("longer"), 0o600) }, "a.csv=longer c.csv=c"},
		"replaced by one of the same size and time": {func(dir string) error {
			beside := filepath.Join(dir, "beside")
			return errors.Join(os.WriteFile(beside, []byte("A"), 0o600), os.Chtimes(beside, at, at), os.Rename(beside, filepath.Join(dir, "a.csv")))
		}, "a.csv=A c.csv=c"},
		"renamed":                    {func(dir string) error { return os.Rename(filepath.Join(dir, "a.csv"), filepath.Join(dir, "aa.csv")) }, "aa.csv=a c.csv=c"},
		"removed":                    {func(dir string) error { return os.Remove(filepath.Join(dir, "a.csv")) }, "c.csv=c"},
		"removed before it was read": {func(dir string) error { return os.Remove(filepath.Join(dir, "c.csv")) }, "a.csv=a"},
		"added":                      {func(dir string) error { return os.WriteFile(filepath.Join(dir, "d.csv"), []byte("d"), 0o600) }, "a.csv=a c.csv=c d.csv=d"},
		"the one that is read": {func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, "b.csv"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		}, "a.csv=a c.csv=c"},
	} {
		dir := t.TempDir()
		for _, file := range []string{"a.csv", "c.csv"} {
			write(t, filepath.Join(dir, file), file[:1])
			if err := os.Chtimes(filepath.Join(dir, file), at, at); err != nil {
				t.Fatal(err)
			}
		}
		write(t, filepath.Join(dir, "b.csv"), strings.Repeat("b", part))
		config, err := newConfig([]string{dir}, []Option{WithSuffixes(".csv")})
		if err != nil {
			t.Fatal(err)
		}
		changed := false
		s, err := config.load(func() {
			if !changed {
				changed = true
				if err := c.change(dir); err != nil {
					t.Error(err)
				}
			}
		})
		var got []string
		for _, f := range s.Files {
			if base := filepath.Base(f.Name); base != "b.csv" {
				got = append(got, base+"="+string(f.Content))
			} else if name == "the one that is read" && len(f.Content) != part+len("more") {
				t.Errorf("%s: %d bytes", name, len(f.Content))
			}
		}
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("%s: read %s, want %s; %v", name, text, c.want, err)
		}
		if s, err := config.load(func() {
			if err := os.WriteFile(filepath.Join(dir, "0.csv"), []byte(time.Now().String()), 0o600); err != nil {
				t.Error(err)
			}
			if err := os.Chtimes(filepath.Join(dir, "0.csv"), time.Time{}, at.Add(time.Duration(time.Now().UnixNano()))); err != nil {
				t.Error(err)
			}
		}); !errors.Is(err, ErrChanging) {
			t.Errorf("%s: one that never stops: %d files, %v", name, len(s.Files), err)
		}
	}
}

// TestBurst: each burst is as long as it has events, but no longer than allowed, and says
// nothing of the next one.
func TestBurst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBurst(&config{quiet: time.Second, maxDelay: 5 * time.Second})
		for range 2 {
			began := time.Now()
			for range 3 {
				b.more()
				time.Sleep(600 * time.Millisecond)
			}
			<-b.over()
			if took := time.Since(began); took != 2200*time.Millisecond {
				t.Errorf("it lasted %v, want a second after the last event", took)
			}
			for b.again() {
				<-b.over()
			}
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("it was prolonged to %v, want 5s", took)
			}
			b.end()
			time.Sleep(time.Minute)
		}
	})
}

// TestTriggerEnds with its context while the callback runs, and with the callback's
// goroutine.
func TestTriggerEnds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "p.csv")
	write(t, file, "old")
	running, proceed := make(chan struct{}), make(chan struct{})
	w, err := New([]string{file}, func(_ context.Context, s Snapshot) error {
		if show(s) == "p.csv=old\n" {
			return nil
		}
		close(running)
		<-proceed
		runtime.Goexit()
		return nil
	}, WithDebounce(time.Minute, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	replace(t, file, "new")
	ctx, cancel := context.WithCancel(t.Context())
	ended, left := make(chan error), make(chan error)
	go func() { _, err := w.Trigger(ctx); ended <- err }()
	<-running
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("its context has ended: %v", err)
	}
	go func() { _, err := w.Trigger(t.Context()); left <- err }()
	close(proceed)
	if err := <-left; !errors.Is(err, ErrClosed) {
		t.Errorf("the callback has ended its goroutine: %v", err)
	}
	_ = w.Close()
}
