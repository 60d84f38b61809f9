package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// editFile gives a file the content that change makes of the one it has, as a
// whole or not at all. Mode and owner stay; a file that is not there, for which
// found is false, is created with mode 0600. A symbolic link stays one.
//
// Two runs at a time wait for each other where the system can lock. Whoever
// else has changed the file in the meantime is noticed, and then nothing is
// written.
func editFile(name string, change func(text []byte, found bool) ([]byte, error)) error {
	file, err := filepath.EvalSymlinks(name)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = name, nil
	}
	if err != nil {
		return err
	}
	unlock, err := lockDir(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer unlock()
	before, info, err := readIfThere(file)
	if err != nil {
		return err
	}
	after, err := change(before, info != nil)
	if err != nil || info != nil && bytes.Equal(before, after) {
		return err
	}
	return overwrite(file, info, before, after)
}

var errChangedMeanwhile = errors.New("the file was changed meanwhile: nothing was written, so try again")

// readIfThere reads a file; info is nil when there is none.
func readIfThere(file string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", file)
	}
	text, err := os.ReadFile(file)
	return text, info, err
}

// overwrite puts after in the place of before; info is that of the file, nil
// when there is none yet.
func overwrite(file string, info fs.FileInfo, before, after []byte) error {
	return putInPlace(file, info, after, func() error {
		now, found, err := readIfThere(file)
		if err == nil && ((found == nil) != (info == nil) || !bytes.Equal(now, before)) {
			err = errChangedMeanwhile
		}
		return err
	})
}

// putInPlace gives a file its content in one step, if ready has no error then. It has
// mode and owner of info, or mode 0600. A signal to stop counts afterwards.
func putInPlace(file string, info fs.FileInfo, content []byte, ready func() error) (err error) {
	defer holdSignals()()
	// The name begins with a dot, so that nobody takes it for a policy or a key file.
	// The mode is 0600 from the start.
	temp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", file, errors.Join(err, ignoreClosed(temp.Close()), os.Remove(temp.Name())))
		}
	}()
	if _, err = temp.Write(content); err != nil {
		return err
	}
	if info != nil {
		if err = keepOwner(temp, info); err != nil {
			return err
		}
		if err = temp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if err = temp.Sync(); err != nil {
		return err
	}
	if err = temp.Close(); err != nil {
		return err
	}
	if err = ready(); err != nil {
		return err
	}
	if err = os.Rename(temp.Name(), file); err != nil {
		return err
	}
	syncDir(filepath.Dir(file))
	return nil
}

// holdSignals has signals to stop wait until release is called, so that nothing is left
// half done: a temporary file may hold a key. One that is ignored stays so.
func holdSignals() (release func()) {
	held := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(held, s)
		}
	}
	return func() {
		signal.Stop(held)
		select {
		case s := <-held:
			if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(s) != nil {
				os.Exit(exitUsage) // where a process cannot signal itself
			}
		default:
		}
	}
}

// syncDir has the rename outlast a crash, where the system can do that. The
// file is in place either way.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}
