package digest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/bounded"
	"github.com/sallyport-go/sallyport/core/option"
)

// MaxFileBytes is the maximum size of a password file; about 100,000 users.
const MaxFileBytes = 16 << 20

// File is a password file in the format of htdigest, for one realm. It is created
// by [NewFile] or [OpenFile] and safe for concurrent use.
//
// A line is user:realm:hash or user:realm:hash:algorithm, with the hash of
// [HashA1]. If the algorithm is missing, the length of the hash implies it: 64
// digits are SHA-256, 32 are MD5, as htdigest writes them. A user may have a line
// for each algorithm. Blank lines and lines that begin with # are skipped.
type File struct {
	realm string
	md5   bool
	// table is replaced as a whole and never modified, so that a request sees one
	// state of the file.
	table atomic.Pointer[table]
}

var _ UserHashStore = (*File)(nil)

// FileOption configures a [File].
type FileOption func(*File) error

// WithMD5 lets the file have hashes of MD5. Without it such a line is an error: it
// would be useless unless MD5 is offered, and anyone who sees it can guess the
// password at great speed.
func WithMD5() FileOption { return func(f *File) error { return option.On(&f.md5) } }

// NewFile returns a file for a realm, which must be that of the authenticator.
// Until the first [File.Load], finding a user returns a [core.UnavailableError].
func NewFile(realm string, opts ...FileOption) (*File, error) {
	if realm == "" {
		return nil, errors.New("digest: empty realm: give the file the one that its hashes were made with")
	}
	f := &File{realm: realm}
	if err := option.Apply(f, opts); err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	return f, nil
}

// Absent returns the error for a path without a file. It says how to create one.
func (*File) Absent(path string) error {
	return fmt.Errorf("digest: there is no password file %s: make a line with %s: %w", path, advice, fs.ErrNotExist)
}

// OpenFile returns a file loaded from path, once. Its error is one of [NewFile] or
// [File.Load], or says why the file could not be read.
func OpenFile(path, realm string, opts ...FileOption) (*File, error) {
	f, err := NewFile(realm, opts...)
	if err != nil {
		return nil, err
	}
	data, err := bounded.File(path, MaxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.Absent(path)
	}
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	if err := f.Load(path, data); err != nil {
		return nil, err
	}
	return f, nil
}

// Load replaces the content of the file with data, entirely or not at all: after an
// error the last valid content stays in use. It does not retain data.
//
// The error lists the findings, each as "name:line: message" and joined with
// [errors.Join]: too few or too many fields, an empty, unprintable or repeated
// user, another realm, a hash that is not the lower-case hex digits of its
// algorithm, an unknown algorithm, MD5 without [WithMD5], a byte order mark.
// Messages never quote a hash. Data without any user, or of more than
// [MaxFileBytes], is an error too.
func (f *File) Load(name string, data []byte) error {
	if len(data) > MaxFileBytes {
		return fmt.Errorf("%s: larger than %d bytes: keep this many users in a database", name, MaxFileBytes)
	}
	t, err := parseTable(name, string(data), f.realm, f.md5)
	if err != nil {
		return err
	}
	f.table.Store(t)
	return nil
}

// FindUser implements [Store]. The principal has the user as ID and no roles:
// those come from the policy.
func (f *File) FindUser(_ context.Context, realm, user string, a Algorithm) (Entry, error) {
	t, err := f.loaded(realm)
	if err != nil {
		return Entry{}, err
	}
	return found(t.users, key{a, user})
}

// FindUserHash implements [UserHashStore].
func (f *File) FindUserHash(_ context.Context, realm, hash string, a Algorithm) (Entry, error) {
	t, err := f.loaded(realm)
	if err != nil {
		return Entry{}, err
	}
	return found(t.hashes, key{a, hash})
}

func (f *File) loaded(realm string) (*table, error) {
	if realm != f.realm {
		return nil, &core.InternalError{Err: fmt.Errorf("digest: the file is for realm %q, not for %q", f.realm, realm)}
	}
	t := f.table.Load()
	if t == nil {
		return nil, &core.UnavailableError{Err: errors.New("digest: the password file has not been loaded yet")}
	}
	return t, nil
}

func found(entries map[key]Entry, k key) (Entry, error) {
	e, ok := entries[k]
	if !ok {
		return Entry{}, ErrUnknownUser
	}
	return e, nil
}
