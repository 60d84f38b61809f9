//go:build unix

package watch

import (
	"os"
	"syscall"
)

// open opens a file, or a pipe that has just taken its place, for which it does not wait.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
