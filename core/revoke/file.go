package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
)

// File is a [Checker] whose entries are in a file, in the format of [List.Load], so
// that they survive a restart. It is safe for concurrent use.
//
// It also has a method Load, for a watcher to call when somebody edits the file or
// another process appends to it.
type File struct {
	list *List
	path string
	mu   sync.Mutex // held while the file is written and read back
	size int        // of the content that is loaded
}

var _ Checker = (*File)(nil)

// OpenFile reads the file at path. A file that does not exist is an empty list, and
// is created, readable only by its owner, when something is revoked. Its folder must
// exist.
func OpenFile(path string, opts ...Option) (*File, error) {
	if path == "" {
		return nil, errors.New("revoke: the path must not be empty")
	}
	l, err := New(opts...)
	if err != nil {
		return nil, err
	}
	f := &File{list: l, path: path}
	err = f.load()
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = os.Stat(filepath.Dir(path)); err != nil {
			err = fmt.Errorf("revoke: %s cannot be created: %w", path, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Revoke appends an entry to the file, syncs it to disk, and reads the file again:
// once it returns nil, the entry is in effect now and after a restart. If the file
// cannot be written, or has lost what it revoked ([List.Load]), the entry is in effect
// at least until a restart, so repeat the call when it can be written again.
//
// Expired lines stay in the file until somebody removes them.
func (f *File) Revoke(e Entry) error {
	if err := e.Check(); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.append(e)
	if err != nil {
		err = fmt.Errorf("revoke: %w", err)
	} else {
		err = f.load()
	}
	if err != nil { // an invalid line by someone else must not keep a token valid
		return errors.Join(err, f.list.Revoke(e))
	}
	return nil
}

// append writes one line. It begins with a line feed, to end a line that someone else
// left incomplete; blank lines are ignored.
func (f *File) append(e Entry) (err error) {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err == nil {
		err = f.list.truncated(f.path, info.Size())
	}
	if err != nil {
		return err
	}
	if n, err := file.WriteString("\n" + e.String() + "\n"); err != nil {
		return errors.Join(err, takeBack(file, int64(n)))
	}
	return file.Sync()
}

// takeBack removes the n bytes written last, for instance when the disk is full: a part
// of a line may revoke more than the whole, or make the file unreadable. If another
// process has appended since, the bytes stay, and are ended with a line feed.
func takeBack(file *os.File, n int64) error {
	end, err := file.Seek(0, io.SeekCurrent)
	if err != nil || n == 0 {
		return err
	}
	if info, err := file.Stat(); err != nil || info.Size() != end {
		return err
	}
	return file.Truncate(end - n)
}

func (f *File) load() error {
	data, err := bounded.File(f.path, maxFileSize)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return f.replace(f.path, data)
}

func (f *File) replace(name string, data []byte) error {
	err := f.list.Load(name, data)
	if err == nil {
		f.size = len(data)
	}
	return err
}

// Load replaces all entries; see [List.Load]. If data is shorter than what is loaded, it
// may have been read before the last append, and the file is read again instead.
func (f *File) Load(name string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(data) < f.size {
		return f.load()
	}
	return f.replace(name, data)
}

// Revoked implements [Checker]. It never fails.
func (f *File) Revoked(ctx context.Context, t Token) (bool, error) { return f.list.Revoked(ctx, t) }

// Len returns the number of entries, including expired ones.
func (f *File) Len() int { return f.list.Len() }
