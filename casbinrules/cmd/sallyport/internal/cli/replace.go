package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeOutput writes a result to a file, as a whole or not at all, replacing an existing
// one.
func writeOutput(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return replace(name, content)
	case err != nil:
		return fmt.Errorf("write: %w", err)
	}
	// The empty file has the mode that the umask leaves.
	if err := errors.Join(f.Close(), replace(name, content)); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// replace replaces the content of an existing file, as a whole or not at all, and
// keeps its mode and its owner. A symbolic link remains one: its target is
// replaced. Anything but a regular file, such as /dev/null, is written to instead.
func replace(file string, content []byte) error {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(file, content, 0)
	}
	if err == nil {
		file, err = filepath.EvalSymlinks(file)
	}
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return putInPlace(file, info, content, func() error { return nil })
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
