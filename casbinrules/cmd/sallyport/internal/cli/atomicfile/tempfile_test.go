package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// TestAbandonedTemporaryFilesAreRemoved: what a killed run has left goes with the next
// one, and neither what a run in progress writes nor files with similar names.
func TestAbandonedTemporaryFilesAreRemoved(t *testing.T) {
	t.Parallel()
	left := func(base string) string { return filepath.Join(filepath.Dir(base), tempName(filepath.Base(base))) }
	old, fresh := []string{left("policy.csv"), left("sub/b.csv")}, left("policy.csv")
	kept := []string{fresh, left("more.csv"), ".policy.csv.notes.tmp", ".policy.csv.abcdefghijklmnopqrstuvwxyz.tmp", "policy.csv.tmp"}
	files := map[string]string{"policy.csv": "p, old, /x, GET\n", "sub/b.csv": "", "users.htpasswd": ""}
	ofKey := left("users.htpasswd")
	for _, name := range append(append([]string{ofKey}, old...), kept...) {
		files[name] = "left\n"
	}
	dir := clitest.Write(t, files)
	for name := range files {
		if before := time.Now().Add(-2 * abandonedAfter); name != fresh {
			if err := os.Chtimes(filepath.Join(dir, name), before, before); err != nil {
				t.Fatal(err)
			}
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	for _, name := range []string{"policy.csv", "sub/b.csv"} {
		s, err := Stage(root, name, 0o644, []byte("new\n"))
		if err == nil {
			err = s.Place()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := Edit(filepath.Join(dir, "users.htpasswd"), func([]byte, bool) ([]byte, error) { return []byte("new\n"), nil }); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(old, ofKey) {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	for _, name := range kept {
		if _, err := os.Lstat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
