package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeOutput writes a result into a file, which it replaces as a whole if it is
// there.
func writeOutput(name string, content []byte) error {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(name, content, 0o644)
	}
	return replace(name, content)
}

// replace gives an existing file a new content, as a whole or not at all, and keeps
// its mode and its owner. A symbolic link stays one: what it leads to is replaced.
// What is no regular file, such as /dev/null, stays and is written to.
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
