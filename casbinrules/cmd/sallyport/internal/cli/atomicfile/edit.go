// Package atomicfile writes files as a whole or not at all, under the eyes of services
// that read them: modes, owners and links stay, edits of others are not lost, and neither
// a signal nor a full disk leaves half a file behind.
package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
)

// Edit replaces the content of a file by what change returns for it, as a whole
// or not at all. Mode and owner stay; a file that does not exist, for which found
// is false, is created with mode 0600. A symbolic link remains one.
//
// Two runs at a time wait for each other if the system can lock. If anyone else has
// changed the file in the meantime, that is detected, and nothing is written.
func Edit(name string, change func(text []byte, found bool) ([]byte, error)) error {
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
	before, info, err := ReadIfThere(file)
	if err != nil {
		return err
	}
	after, err := change(before, info != nil)
	if err != nil || info != nil && bytes.Equal(before, after) {
		return err
	}
	return overwrite(file, info, before, after)
}

// ErrChangedMeanwhile is the error of [Edit] if somebody else has changed the file.
var ErrChangedMeanwhile = errors.New("the file was changed meanwhile: nothing was written, so try again")

// ReadIfThere reads a file; info is nil if it does not exist.
func ReadIfThere(file string) ([]byte, fs.FileInfo, error) {
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

// overwrite replaces before by after; info is that of the file, nil if it does not
// exist yet.
func overwrite(file string, info fs.FileInfo, before, after []byte) error {
	return putInPlace(file, info, 0o600, after, func() error {
		now, found, err := ReadIfThere(file)
		if err == nil && ((found == nil) != (info == nil) || !bytes.Equal(now, before)) {
			err = ErrChangedMeanwhile
		}
		return err
	})
}

// putInPlace replaces the content of a file in one step, if ready then returns no
// error. The file gets mode and owner of info, or if that is nil the mode fresh, less the
// umask. A signal to stop takes effect afterwards.
func putInPlace(file string, info fs.FileInfo, fresh fs.FileMode, content []byte, ready func() error) error {
	defer HoldSignals()()
	if info != nil {
		fresh = 0o600 // until it has its mode
	}
	dir, base := filepath.Split(file)
	if root, err := os.OpenRoot(filepath.Dir(file)); err == nil {
		sweep(root, "", base)
		_ = root.Close()
	}
	name := dir + tempName(base)
	temp, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fresh)
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err = fill(temp, info, content); err == nil {
		err = ready()
	}
	if err == nil {
		err = os.Rename(name, file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", file, errors.Join(err, os.Remove(name)))
	}
	syncDir(filepath.Dir(file))
	return nil
}

// fill writes the content of a new file, and closes it. The file gets mode and owner of
// info, unless that is nil.
func fill(temp *os.File, info fs.FileInfo, content []byte) error {
	_, err := temp.Write(content)
	if err == nil && info != nil {
		if err = keepOwner(temp, info); err == nil {
			err = temp.Chmod(info.Mode().Perm())
		}
	}
	if err == nil {
		err = temp.Sync()
	}
	return errors.Join(err, temp.Close())
}

// HoldSignals delays signals to stop until release is called, so that nothing is
// left half-done: a temporary file may contain a key. A signal that is ignored
// remains ignored.
func HoldSignals() (release func()) {
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
				os.Exit(command.ExitUsage) // if a process cannot signal itself
			}
		default:
		}
	}
}

// syncDir makes the rename survive a crash, if the system can do that. The file is
// in place either way.
func syncDir(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

// PrintOrWrite writes a result to the file with a name, or to stdout if it is "".
func PrintOrWrite(cmd *cobra.Command, name string, content []byte) error {
	if name == "" {
		command.Say(cmd.OutOrStdout(), "%s", content)
		return nil
	}
	return Write(name, content)
}

// Write writes a file as a whole or not at all, replacing an existing one.
func Write(name string, content []byte) error {
	if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return putInPlace(name, nil, 0o644, content, alwaysReady)
	}
	return replace(name, content)
}

func alwaysReady() error { return nil }

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
	return putInPlace(file, info, 0, content, alwaysReady)
}

// WriteNew writes a file that is opened with these flags. With os.O_EXCL it is removed if
// it cannot be written.
func WriteNew(name string, flags int, text string) error {
	f, err := os.OpenFile(name, flags, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil && flags&os.O_EXCL != 0 {
		err = errors.Join(err, os.Remove(name)) // it would be in the way of another attempt
	}
	return err
}

// NotThere reports whether there is no file with a name, not even a broken link.
func NotThere(name string) bool {
	_, err := os.Lstat(name)
	return errors.Is(err, fs.ErrNotExist)
}
