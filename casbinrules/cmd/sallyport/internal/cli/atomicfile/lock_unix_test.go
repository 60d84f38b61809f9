//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// A service that reads its file under its own account can still read it after another
// user's edit. Only root can change a file's owner, so the test shows the most when run
// as root.
func TestEditFileKeepsTheOwner(t *testing.T) {
	file := filepath.Join(clitest.Write(t, map[string]string{"keys": "a"}), "keys")
	owner := func() (uint32, uint32) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		return stat.Uid, stat.Gid
	}
	if err := os.Chown(file, 12345, 54321); err != nil && os.Getuid() == 0 {
		t.Fatal(err)
	}
	uid, gid := owner()
	if err := Edit(file, func([]byte, bool) ([]byte, error) { return []byte("b"), nil }); err != nil {
		t.Fatal(err)
	}
	if u, g := owner(); u != uid || g != gid || clitest.ReadFile(t, file) != "b" {
		t.Errorf("owner %d:%d, was %d:%d", u, g, uid, gid)
	}
}
