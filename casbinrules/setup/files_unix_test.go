//go:build unix

package setup

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestReloadOfOddFiles: what is no file, or has no end, is refused, and what was loaded
// last stays.
func TestReloadOfOddFiles(t *testing.T) {
	t.Parallel()
	odd := map[string]func(path string) error{
		"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"a folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"too large": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<30) // without a byte on the disk
		},
	}
	for _, watching := range []string{"watch: true\n", "watch: false\n"} {
		for _, name := range []string{"users.htpasswd", "jwks.json", "policy.csv", "model.conf"} {
			for what, put := range odd {
				t.Run(watching+name+" is "+what, func(t *testing.T) {
					t.Parallel()
					path := configFile(t, minimal+"basic: {htpasswd: users.htpasswd}\n"+watching)
					s := openPath(t, path)
					file := filepath.Join(filepath.Dir(path), name)
					if err := os.Remove(file); err != nil {
						t.Fatal(err)
					}
					if err := put(file); err != nil {
						t.Fatal(err)
					}
					reloaded := make(chan error, 1)
					go func() { reloaded <- s.Reload(t.Context()) }()
					select {
					case err := <-reloaded:
						if err == nil || !strings.Contains(err.Error(), name) {
							t.Errorf("reload: %v", err)
						}
					case <-time.After(authtest.TimeLimit(30 * time.Second)):
						t.Fatal("the reload does not end")
					}
					wants(t, s.Guard(), 200, "GET", "/reports", bearerOf(token(t, "erin", nil))...)
				})
			}
		}
	}
}
