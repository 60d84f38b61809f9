//go:build unix && !solaris && !aix

package bundle_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/core/source"
	"github.com/sallyport-go/sallyport/core/source/sourcetest"
)

// TestFileOfAnotherPublisher: a publication waits for another one as long as its context.
func TestFileOfAnotherPublisher(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.bundle")
	other, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(other.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	f := newFile(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := source.Publication{Files: sourcetest.Files("x"), Note: source.Note{Author: "ann"}}
	if _, err := f.Publish(ctx, p); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "another process is publishing") {
		t.Error(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	publish(t, f, 0, "x")
}
