//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lockPatience is how long a run waits for another one that changes a file.
const lockPatience = 10 * time.Second

// lockDir keeps other runs from changing files in a directory until unlock is
// called or the program ends. It locks the directory itself, so that no lock file
// remains.
func lockDir(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(lockPatience)
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = d.Close() }, nil // this unlocks it
		}
		busy := errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR)
		if !busy || time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), d.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// keepOwner gives temp the owner and the group of the file that it replaces:
// otherwise a service that reads the file with another account could no longer do
// so, and would keep using the old content.
func keepOwner(temp *os.File, info fs.FileInfo) error {
	was, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	now, err := temp.Stat()
	if err != nil {
		return err
	}
	if is, ok := now.Sys().(*syscall.Stat_t); ok && is.Uid == was.Uid && is.Gid == was.Gid {
		return nil
	}
	return temp.Chown(int(was.Uid), int(was.Gid))
}
