//go:build unix

package bundle_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/bundle"
)

// TestFileMode: a publication keeps the file's mode, whatever the umask, and the saved
// previous bundle is readable by no one else. It is not parallel, since the umask belongs
// to the process.
func TestFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.bundle")
	f := newFile(t, path)
	publish(t, f, 0, "x")
	for i, c := range []struct {
		mode  fs.FileMode
		umask int
	}{{0o644, 0o077}, {0o600, 0o022}, {0o664, 0o002}} {
		mode := c.mode
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		before := syscall.Umask(c.umask)
		publish(t, f, source.Revision(i+1), "y")
		syscall.Umask(before)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("mode %v became %v", mode, info.Mode().Perm())
		}
		kept, err := os.Stat(filepath.Join(path+".history", string(rune('1'+i))))
		if err != nil {
			t.Fatal(err)
		}
		if wider := kept.Mode().Perm() &^ mode; wider != 0 {
			t.Errorf("a bundle of mode %v is saved with mode %v", mode, kept.Mode().Perm())
		}
	}
}

// TestFileBehindLinks: publishers that use different links to a bundle share one lock and
// one history.
func TestFileBehindLinks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	link := filepath.Join(t.TempDir(), "link")
	direct := newFile(t, path)
	publish(t, direct, 0, "x")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	linked := newFile(t, link)
	const each = 25
	done := make(chan error)
	for _, f := range []*bundle.File{direct, linked} {
		go func() {
			for n := 0; n < each; {
				entries, err := f.History(t.Context(), 0, 1)
				if err == nil {
					p := source.Publication{Base: entries[0].Revision, Files: []source.File{{Name: "policy.csv"}}, Note: source.Note{Author: "ann"}}
					if _, err = f.Publish(t.Context(), p); err == nil {
						n++
						continue
					}
				}
				if conflict := new(source.ConflictError); !errors.As(err, &conflict) {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for _, f := range []*bundle.File{direct, linked} {
		if all, err := f.History(t.Context(), 0, 1000); err != nil || len(all) != 2*each+1 {
			t.Errorf("%d revisions, %v", len(all), err)
		}
	}
}
