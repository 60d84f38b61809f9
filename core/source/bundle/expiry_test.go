package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// expiring is a bundle of a revision that expires.
func expiring(t *testing.T, r source.Revision, expires time.Time) []byte {
	t.Helper()
	data, err := bundle.Encode("default", source.Entry{Revision: r, Note: source.Note{Author: "ann"}}, expires, sourcetest.Files("one"), key(1))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestExpiry: a server with an expired bundle counts as unavailable, whether it sends the
// bundle or answers that it is unchanged, and no instance starts with it.
func TestExpiry(t *testing.T) {
	t.Parallel()
	for _, etag := range []string{`"1"`, ""} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(expiring(t, 1, time.Now().Add(time.Hour)))
			s.etag = etag
			src := newSource(t, address, bundle.WithTransport(s))
			f, _ := followed(t, src, source.WithMaxStaleness(10*time.Minute, nil))
			defer func() { _ = f.Close() }()
			time.Sleep(59 * time.Minute)
			synctest.Wait()
			if st := f.Status(); st.Err != nil || st.Age() > 10*time.Second {
				t.Errorf("before expiry: %+v", st)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if st := f.Status(); !errors.Is(st.Err, bundle.ErrExpired) || st.Stale || st.Revision != 1 {
				t.Errorf("after expiry: %+v", st)
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if st := f.Status(); !st.Stale || st.Revision != 1 {
				t.Errorf("after the bound: %+v", st)
			}
			if b, err := src.Read(t.Context()); err != nil || b.Entry.Revision != 1 {
				t.Errorf("read by hand: %+v, %v", b, err)
			}
			if _, err := source.Follow(t.Context(), newSource(t, address, bundle.WithTransport(s)), func(context.Context, *source.Content) error { return nil }); !errors.Is(err, bundle.ErrExpired) {
				t.Errorf("an instance that starts with it: %v", err)
			}
			if etag != "" {
				etag = `"2"`
			}
			s.put(expiring(t, 2, time.Now().Add(time.Hour)), etag)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if st := f.Status(); st.Stale || st.Err != nil || st.Revision != 2 {
				t.Errorf("published again: %+v", st)
			}
		})
	}
}

// TestExpiringFile: published bundles expire, and publishing continues from an expired
// one.
func TestExpiringFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "app.bundle")
	if err := os.WriteFile(path, expiring(t, 1, time.Now().Add(-time.Hour)), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := newFile(t, path).Expiring(36 * time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Publish(t.Context(), source.Publication{Base: 1, Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Decode(data, public(key(1))...)
	if err != nil || b.Entry.Revision != 2 || !b.Expires.Equal(e.Published.Add(36*time.Hour)) {
		t.Errorf("%+v, %v; published at %v", b, err, e.Published)
	}
	if _, err := newFile(t, path).Expiring(time.Second - 1); err == nil {
		t.Error("expiry after less than a second: no error")
	}
}
