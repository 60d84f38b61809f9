//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"io/fs"
	"os"
)

// lockDir does nothing on this system: concurrent changes are only detected.
func lockDir(string) (unlock func(), err error) { return func() {}, nil }

// keepOwner leaves the owner to the system.
func keepOwner(*os.File, fs.FileInfo) error { return nil }
