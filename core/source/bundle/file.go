package bundle

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/internal/pause"
	"github.com/sallyport-go/sallyport/core/source"
)

// File is a bundle in a file, as a [source.Store] for publishers. Earlier bundles
// are kept in the folder PATH.history, one file each, so that they can be shown and
// restored; without that folder there is only the newest one. If the path is a
// symbolic link, the folder is beside the file that it leads to.
//
// It is safe for concurrent use, even by several programs if the system can lock a
// folder: Linux, macOS and the BSDs.
type File struct {
	path    string
	set     string
	trusted []ed25519.PublicKey
	signing []ed25519.PrivateKey
	expires time.Duration // after the publication; 0 for never
}

var _ source.Store = (*File)(nil)

// NewFile returns a store for the bundle at path with the named set of files,
// usually "default". Existing bundles are verified with the trusted keys and those
// of signing. [File.Publish] signs with all keys of signing; without any the store
// is read-only.
func NewFile(path, set string, trusted []ed25519.PublicKey, signing ...ed25519.PrivateKey) (*File, error) {
	if path == "" {
		return nil, errors.New("bundle: the path must not be empty")
	}
	if err := checkSet(set); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	f := &File{path: path, set: set, trusted: slices.Clone(trusted), signing: slices.Clone(signing)}
	for i, key := range signing {
		if len(key) != ed25519.PrivateKeySize {
			return nil, fmt.Errorf("bundle: key %d to sign with has %d bytes, and must have %d", i+1, len(key), ed25519.PrivateKeySize)
		}
		if !slices.ContainsFunc(f.trusted, func(k ed25519.PublicKey) bool { return k.Equal(public(key)) }) {
			f.trusted = append(f.trusted, public(key))
		}
	}
	return f, checkTrusted(f.trusted)
}

// Expiring returns the same file with publications that expire d after they are
// made, at least a second: a server that withholds newer bundles can then pass off
// an old one as the newest for no longer than that. Publish again before the
// expiry, with the same files if nothing has changed.
func (f *File) Expiring(d time.Duration) (*File, error) {
	if d < time.Second {
		return nil, fmt.Errorf("bundle: expiry after %v: must be at least 1s", d)
	}
	g := *f
	g.expires = d
	return &g, nil
}

// Close implements [source.Store].
func (f *File) Close() error { return nil }

// read reads a bundle. The error is fs.ErrNotExist if there is none.
func (f *File) read(path string) (*Bundle, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() // only read
	data, err := bounded.Read(file, maxSize)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := decode(data, f.set, f.trusted)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// newest reads the newest bundle. The error is source.ErrEmpty if there is none.
func (f *File) newest() (*Bundle, error) {
	b, err := f.read(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, source.ErrEmpty
	}
	return b, err
}

// Fetch implements [source.Source]. It does not check whether the bundle has
// expired: publishers can still build on it.
func (f *File) Fetch(_ context.Context, known source.State) (source.Fetched, error) {
	b, err := f.newest()
	if err != nil {
		return source.Fetched{}, err
	}
	got := source.Fetched{State: source.State{Revision: b.Entry.Revision, Hash: b.Entry.Hash}}
	if got.State != known {
		got.Content = b.Content
	}
	return got, nil
}

// Listen implements [source.Source]. It checks four times a second whether the file
// was replaced.
func (f *File) Listen(ctx context.Context, hint func()) error {
	var last fs.FileInfo
	for begun := false; ; begun = true {
		now, err := os.Stat(f.path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("bundle: %w", err)
		}
		if !begun || !sameFile(last, now) {
			hint()
		}
		last = now
		if err := pause.For(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// lookEvery is the time between two checks whether a file was replaced.
const lookEvery = 250 * time.Millisecond

// sameFile reports whether a file was neither replaced nor changed. nil stands for
// no file.
func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Publish implements [source.Store]. The file is replaced as a whole, and its
// modification time is at least a second later than before, since web servers
// derive ETags from whole seconds.
func (f *File) Publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	e, err := f.publish(ctx, p)
	if err != nil {
		return source.Entry{}, fmt.Errorf("bundle: publish: %w", err)
	}
	return e, nil
}

func (f *File) publish(ctx context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, err
	}
	if len(f.signing) == 0 {
		return source.Entry{}, errors.New("there is no private key to sign with")
	}
	unlock, err := lockDir(ctx, filepath.Dir(f.target()))
	if err != nil {
		return source.Entry{}, err
	}
	defer unlock()
	var at source.Revision
	switch b, err := f.newest(); {
	case err == nil && p.Became(b.Entry):
		return b.Entry, nil
	case err == nil:
		at = b.Entry.Revision
	case !errors.Is(err, source.ErrEmpty):
		return source.Entry{}, err
	}
	if at != p.Base {
		return source.Entry{}, &source.ConflictError{Base: p.Base, Newest: at}
	}
	e := source.Entry{
		Revision: p.Next(), Published: time.Now().UTC().Truncate(time.Second),
		Hash: source.HashFiles(p.Files), Note: p.Note,
	}
	var expires time.Time
	if f.expires != 0 {
		expires = e.Published.Add(f.expires)
	}
	data, err := Encode(f.set, e, expires, p.Files, f.signing...)
	if err != nil {
		return source.Entry{}, err
	}
	if err := f.keep(at); err != nil {
		return source.Entry{}, err
	}
	return e, replaceFile(f.target(), data, 0o644)
}

// target returns the file that a path stands for, so that publishers who use different
// links to it share a lock and a history. A dangling link stands for itself.
func (f *File) target() string {
	if target, err := filepath.EvalSymlinks(f.path); err == nil {
		return target
	}
	return f.path
}

func (f *File) historyDir() string { return f.target() + ".history" }

func (f *File) historyFile(r source.Revision) string {
	return filepath.Join(f.historyDir(), strconv.FormatUint(uint64(r), 10))
}

// keep stores the bundle in the file, which has a revision, before it is replaced.
func (f *File) keep(at source.Revision) error {
	if at == 0 {
		return nil
	}
	if err := os.Mkdir(f.historyDir(), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	return replaceFile(f.historyFile(at), data, info.Mode().Perm())
}

// At implements [source.Store].
func (f *File) At(_ context.Context, r source.Revision) (*source.Content, source.Entry, error) {
	b, err := f.newest()
	if err == nil && b.Entry.Revision > r {
		b, err = f.read(f.historyFile(r))
	}
	switch {
	case errors.Is(err, source.ErrEmpty), errors.Is(err, fs.ErrNotExist), err == nil && b.Entry.Revision != r:
		return nil, source.Entry{}, fmt.Errorf("bundle: revision %d: %w", r, source.ErrNoRevision)
	case err != nil:
		return nil, source.Entry{}, err
	}
	return b.Content, b.Entry, nil
}

// History implements [source.Store]. Earlier bundles that no trusted key has
// signed, such as those of a removed key, are an error.
func (f *File) History(_ context.Context, before source.Revision, limit int) ([]source.Entry, error) {
	b, err := f.newest()
	if errors.Is(err, source.ErrEmpty) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	kept, err := f.kept(b.Entry.Revision)
	if err != nil {
		return nil, err
	}
	var all []source.Entry
	for _, r := range append([]source.Revision{b.Entry.Revision}, kept...) {
		if len(all) >= limit || before != 0 && r >= before {
			continue
		}
		if r != b.Entry.Revision {
			if b, err = f.read(f.historyFile(r)); err != nil {
				return nil, err
			}
		}
		all = append(all, b.Entry)
	}
	return all, nil
}

// kept returns the stored revisions below newest, newest first.
func (f *File) kept(newest source.Revision) ([]source.Revision, error) {
	entries, err := os.ReadDir(f.historyDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []source.Revision
	for _, e := range entries {
		r, err := strconv.ParseUint(e.Name(), 10, 63)
		if err == nil && r > 0 && source.Revision(r) < newest && e.Name() == strconv.FormatUint(r, 10) {
			all = append(all, source.Revision(r))
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all, nil
}

// replaceFile replaces a file as a whole, by means of another one in the same
// directory. It keeps the mode of an existing file, whatever the umask: a web server
// must still be able to read it. A new file gets the given mode, less the umask.
func replaceFile(path string, data []byte, mode fs.FileMode) (err error) {
	least := time.Time{}
	before, statErr := os.Stat(path)
	if statErr == nil {
		mode, least = before.Mode().Perm(), before.ModTime().Add(time.Second)
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp") // the directory is locked, so there is no other writer
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, removeIfThere(temp)))
		}
	}()
	if err := removeIfThere(temp); err != nil {
		return err
	}
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	if err == nil && statErr == nil {
		err = out.Chmod(mode)
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if now := time.Now(); now.Before(least) {
		if err := os.Chtimes(temp, time.Time{}, least); err != nil {
			return err
		}
	}
	return os.Rename(temp, path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
