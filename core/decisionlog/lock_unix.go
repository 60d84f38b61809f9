//go:build unix && !solaris && !aix

package decisionlog

import (
	"os"
	"syscall"
)

// lock keeps other processes from writing to f until it is closed.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
