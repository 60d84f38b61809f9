package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// TestFileListens: there is a hint for the beginning, and one for each change.
func TestFileListens(t *testing.T) {
	dir := t.TempDir()
	path, beside := filepath.Join(dir, "policy.bundle"), filepath.Join(dir, "beside")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	write := func(path, text string) error {
		return errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at))
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var hints atomic.Int32
		done := make(chan error)
		go func() { done <- newFile(t, path).Listen(ctx, func() { hints.Add(1) }) }()
		for i, change := range []func() error{
			func() error { return nil },
			func() error { return write(path, "one") },
			func() error { return write(path, "longer") },
			func() error { at = at.Add(time.Second); return write(path, "longer") },
			func() error { return errors.Join(write(beside, "LONGER"), os.Rename(beside, path)) },
			func() error { return os.Remove(path) },
		} {
			must(change())
			time.Sleep(time.Second)
			synctest.Wait()
			if got := hints.Load(); int(got) != i+1 {
				t.Errorf("after change %d: %d hints", i, got)
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	must(write(path, "x"))
	if err := newFile(t, filepath.Join(path, "below")).Listen(t.Context(), func() { t.Error("a hint for a path that cannot be") }); err == nil {
		t.Error("no error for a path that cannot be")
	}
}

// TestFileHistory: what is kept of earlier bundles, and what else may be in the folder.
func TestFileHistory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	f := newFile(t, path)
	for r := range source.Revision(11) {
		publish(t, f, r, "x")
	}
	kept := path + ".history"
	for name, text := range map[string]string{"0": "x", "01": "x", "11": "x", "99": "x", "x": "x"} {
		if err := os.WriteFile(filepath.Join(kept, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := f.History(t.Context(), 0, 100)
	if err != nil || len(entries) != 11 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, e := range entries {
		if e.Revision != source.Revision(11-i) {
			t.Errorf("entry %d is of revision %d", i, e.Revision)
		}
	}
	if c, e, err := f.At(t.Context(), 11); err != nil || c.Revision != 11 || e.Revision != 11 {
		t.Errorf("the newest: %v, %v, %v", c, e, err)
	}
	third, err := os.ReadFile(filepath.Join(kept, "3"))
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(kept, "4"), third, 0o600), os.WriteFile(filepath.Join(kept, "5"), []byte("x"), 0o600), os.Remove(filepath.Join(kept, "6")))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []source.Revision{4, 6, 12} {
		if _, _, err := f.At(t.Context(), r); !errors.Is(err, source.ErrNoRevision) {
			t.Errorf("revision %d: %v", r, err)
		}
	}
	if _, _, err := f.At(t.Context(), 5); err == nil || errors.Is(err, source.ErrNoRevision) {
		t.Errorf("a bundle that is none: %v", err)
	}
	if _, err := f.History(t.Context(), 0, 100); err == nil {
		t.Error("the history has a bundle that is none, without an error")
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.History(t.Context(), 0, 100); err == nil {
		t.Error("the newest bundle is none, without an error")
	}
	if _, _, err := f.At(t.Context(), 1); err == nil {
		t.Error("the newest bundle is none, without an error")
	}
}

// TestFileCannotBeKept: a bundle that cannot be kept is not replaced.
func TestFileCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.bundle")
	f := newFile(t, path)
	publish(t, f, 0, "one")
	if err := os.MkdirAll(filepath.Join(path+".history", "1"), 0o700); err != nil {
		t.Fatal(err)
	}
	p := source.Publication{Base: 1, Files: sourcetest.Files("two"), Note: source.Note{Author: "ann"}}
	if _, err := f.Publish(t.Context(), p); err == nil || !strings.Contains(err.Error(), "write "+filepath.Join(path+".history", "1")) {
		t.Error(err)
	}
	if got, err := f.Fetch(t.Context(), source.State{}); err != nil || got.State.Revision != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if left, err := os.ReadDir(path + ".history"); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := newFile(t, filepath.Join(dir, "missing", "policy.bundle")).Publish(t.Context(), p); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is missing: %v", err)
	}
}
