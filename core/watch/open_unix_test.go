//go:build unix

package watch

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestPipeTakesThePlaceOfAFile after it was looked at: nobody waits for who would write to
// it, which would also keep the watcher from closing.
func TestPipeTakesThePlaceOfAFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "p.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readOpen(source{"p.csv", pipe}, 1, func() {}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
}
