package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeOutput writes a result to a file, replacing an existing one as a whole.
func writeOutput(name string, content []byte) error {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(name, content, 0o644)
	}
	return replace(name, content)
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
