//go:build unix && !solaris && !aix

package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/pause"
)

// lockDir keeps other publishers away from the files in a directory until unlock is
// called or the program ends. It locks the directory itself, so that no lock file
// remains.
func lockDir(ctx context.Context, dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = d.Close() }, nil // this unlocks it
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), d.Close())
		}
		if err := pause.For(ctx, 20*time.Millisecond); err != nil {
			return nil, errors.Join(fmt.Errorf("another process is publishing to %s: %w", dir, err), d.Close())
		}
	}
}
