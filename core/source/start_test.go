package source_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/source"
)

// TestLastGoodFile: an instance that starts during an outage uses the last good content,
// and catches up.
func TestLastGoodFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "last-good.json")
	followed(t, func(t *testing.T, store *fake, _ *applied, f *source.Follower) {
		store.publish()
		synctest.Wait()
		if s := f.Status(); s.Revision != 2 || s.FileErr != nil {
			t.Fatalf("%+v", s)
		}
	}, source.WithLastGoodFile(file))
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	synctest.Test(t, func(t *testing.T) {
		store, got := newFake(), new(applied)
		store.newest = 3
		store.down = errDown
		f, err := source.Follow(t.Context(), store, got.apply, source.WithLastGoodFile(file))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if s := f.Status(); s.Revision != 2 || !errors.Is(s.Err, errDown) {
			t.Errorf("%+v", s)
		}
		store.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := f.Status(); s.Revision != 3 || s.Err != nil {
			t.Errorf("after recovery: %+v", s)
		}
	})
	synctest.Test(t, func(t *testing.T) { // never older than the last run's revision
		store, got := newFake(), new(applied)
		store.publish()
		f, err := source.Follow(t.Context(), store, got.apply, source.WithLastGoodFile(file))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if s := f.Status(); s.Revision != 3 || !errors.Is(s.Err, source.ErrStepBack) {
			t.Errorf("an older revision at the start: %+v", s)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.down = errDown
		refused := errors.New("no good policy")
		if _, err := source.Follow(t.Context(), store, func(context.Context, *source.Content) error { return refused }, source.WithLastGoodFile(file)); !errors.Is(err, refused) {
			t.Errorf("content that was good and is refused now: %v", err)
		}
	})
	damage(t, file)
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.down = errDown
		if _, err := source.Follow(t.Context(), store, new(applied).apply, source.WithLastGoodFile(file)); err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("a damaged file: %v", err)
		}
		outside := &source.Content{Revision: 1, Files: []source.File{{Name: "../x"}}}
		empty := &source.Content{Files: outside.Files}
		for what, text := range map[string]string{
			"no JSON": "{", "no content": "{}",
			"no revision":           fmt.Sprintf(`{"sha256":%q,"content":{"revision":0,"files":[{"name":"../x"}]}}`, empty.Hash()),
			"a name that leads out": fmt.Sprintf(`{"sha256":%q,"content":{"revision":1,"files":[{"name":"../x"}]}}`, outside.Hash()),
		} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := source.Follow(t.Context(), store, new(applied).apply, source.WithLastGoodFile(file)); err == nil || !strings.Contains(err.Error(), "last good file "+file) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

// TestLastGoodFileIsTriedAgain: content that could not be saved is read once more and
// saved when possible, without being applied again.
func TestLastGoodFileIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	file := filepath.Join(dir, "last-good.json")
	followed(t, func(t *testing.T, store *fake, got *applied, f *source.Follower) {
		if s := f.Status(); s.Revision != 1 || s.FileErr == nil || s.Err != nil {
			t.Fatalf("%+v", s)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if s := f.Status(); s.FileErr == nil {
			t.Errorf("without the folder: %+v", s)
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		got.refuse[2] = errDown
		store.publish() // rejected: the previous revision stays in force
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if s := f.Status(); s.FileErr == nil || s.Revision != 1 {
			t.Errorf("the source no longer has what is in force: %+v", s)
		}
		store.publish()
		synctest.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		store.publish()
		synctest.Wait()
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := f.Status(); s.FileErr != nil || s.Revision != 4 || s.Err != nil {
			t.Errorf("once it can be saved: %+v", s)
		}
		if all := got.seen(); !slices.Equal(all, []source.Revision{1, 2, 3, 4}) {
			t.Errorf("applied %v", all)
		}
	}, source.WithLastGoodFile(file))
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `"revision":4`) {
		t.Errorf("%.200s, %v", text, err)
	}
}

// TestLastGoodFileAge: an instance that starts without its source counts from the last
// confirmation, not from publication.
func TestLastGoodFileAge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "last-good.json")
	bound := source.WithMaxStaleness(2*time.Hour, nil)
	start := func(t *testing.T, stale bool) {
		t.Helper()
		store := newFake()
		store.down = errDown
		f, err := source.Follow(t.Context(), store, new(applied).apply, source.WithLastGoodFile(file), bound)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if s := f.Status(); s.Stale != stale || s.Revision != 1 {
			t.Errorf("%+v, want stale: %v", s, stale)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		f, err := source.Follow(t.Context(), store, new(applied).apply, source.WithLastGoodFile(file), bound, source.WithPollInterval(30*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		start(t, false) // as after a crash: f was not closed
		if err := f.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := f.Refresh(t.Context()); err != nil { // too soon to be written before Close
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		confirmed := f.Status().Confirmed
		text, err := os.ReadFile(file + ".confirmed")
		if err != nil || !strings.Contains(string(text), confirmed.Format(time.RFC3339Nano)) {
			t.Errorf("closed: %s, %v; want %v", text, err, confirmed)
		}
		time.Sleep(3 * time.Hour)
		start(t, true)
		for what, text := range map[string]string{"damaged": "{", "for other content": `{"revision":1,"sha256":"00","confirmed":"` + time.Now().Format(time.RFC3339) + `"}`} {
			if err := os.WriteFile(file+".confirmed", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Log(what)
			start(t, true)
		}
	})
}

// damage changes a byte of the content in a file.
func damage(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.Index(text, '=') // the end of base64
	text[at-2] ^= 1
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestStart waits for the first content, but not for ever.
func TestStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFake()
		store.publish()
		store.down = errDown
		began := time.Now()
		if _, err := source.Follow(t.Context(), store, new(applied).apply, source.WithStartTimeout(10*time.Second)); !errors.Is(err, errDown) {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("timed out after %v", took)
		}
		go func() {
			time.Sleep(5 * time.Second)
			store.set(nil)
		}()
		f, err := source.Follow(t.Context(), store, new(applied).apply, source.WithStartTimeout(10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	})
}

// TestFailedStartLeavesNothing: a bound of a day does not keep what failed for a day.
func TestFailedStartLeavesNothing(t *testing.T) {
	store := &fake{hints: map[int]func(){}, cut: make(chan struct{})}
	store.publish()
	kept := weak.Make(store)
	refuse := func(context.Context, *source.Content) error { return errDown }
	if _, err := source.Follow(t.Context(), store, refuse, source.WithMaxStaleness(24*time.Hour, nil)); err == nil {
		t.Fatal("it starts with what is refused")
	}
	store = nil
	// The runtime keeps a timer that was stopped until it next looks at its timers.
	for end := time.Now().Add(authtest.TimeLimit(10 * time.Second)); kept.Value() != nil; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(end) {
			t.Fatal("the source is still in memory")
		}
	}
}
