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

// replace gives an existing file a new content, as a whole or not at all, and
// keeps its mode. A symbolic link stays one: what it leads to is replaced. What is no
// regular file, such as /dev/null, stays and is written to.
func replace(file string, content []byte) (err error) {
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
	// The name begins with a dot, so that nobody reads it as a policy.
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", file, errors.Join(err, ignoreClosed(temp.Close()), os.Remove(temp.Name())))
		}
	}()
	if _, err = temp.Write(content); err != nil {
		return err
	}
	if err = temp.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
