package apikey

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core/internal/bounded"
)

// MaxFileBytes is the maximum size of a key file; about 50,000 keys.
const MaxFileBytes = 16 << 20

// errNotLoaded results in 503 for every request, never 401.
var errNotLoaded = errors.New("apikey: no key file has been loaded: call Load, or watch.Load, before serving")

// File is a [Store] of the keys in a key file. The zero File has nothing loaded:
// every lookup fails, which results in 503. It is safe for concurrent use and must
// not be copied.
//
// A key file is UTF-8 text. Each key begins with its ID in brackets, followed by a
// line "name = value" for each of its attributes:
//
//	# Blank lines, and comments on lines of their own, may stand anywhere.
//	[sp_k3m9x2q7ab]
//	hash = sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//	owner = ci-bot
//	roles = editor, viewer
//	scopes = reports:read, reports:write
//	tenant = globex
//	comment = nightly build
//	created = 2026-11-01T12:00:00Z
//	expires = 2027-11-01T00:00:00Z
//	revoked = 2026-12-01T08:30:00Z laptop stolen
//
// hash and owner are required. Times are in RFC 3339; the time of revoked may be
// followed by the reason. A value extends to the end of its line; there are no
// quotes and no trailing comments.
type File struct {
	table atomic.Pointer[table]
}

var _ Store = (*File)(nil)

// Absent returns the error for a path without a file. It says how to create one.
func (*File) Absent(path string) error {
	return fmt.Errorf("apikey: there is no key file %s: make a key with \"sallyport apikey new -f FILE --owner NAME\": %w", path, fs.ErrNotExist)
}

// OpenFile reads the key file at path once. Its error is one of [File.Load], or
// says why the file could not be read.
func OpenFile(path string) (*File, error) {
	data, err := bounded.File(path, MaxFileBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, new(File).Absent(path)
	}
	if err != nil {
		return nil, fmt.Errorf("apikey: %w", err)
	}
	f := new(File)
	if err := f.Load(path, data); err != nil {
		return nil, err
	}
	return f, nil
}

// Load replaces the loaded keys with those in data, the content of the named file;
// if it returns an error, the loaded keys stay. watch.Load of core/watch calls it
// when the file has changed.
//
// The error lists all findings, up to a hundred, each as "name:line: message" and
// joined with [errors.Join]. A file without any key, or of more than
// [MaxFileBytes], is an error too. Messages never quote anything that could be a
// key.
func (f *File) Load(name string, data []byte) error {
	t, err := parseTable(name, data)
	if err != nil {
		return err
	}
	if len(t.keys) == 0 {
		return fmt.Errorf("%s: no key in the file: make one with sallyport apikey new", name)
	}
	f.table.Store(t)
	return nil
}

// LookupKey implements [Store].
func (f *File) LookupKey(_ context.Context, id string) (*Key, error) {
	t := f.table.Load()
	if t == nil {
		return nil, errNotLoaded
	}
	if key, known := t.byID[id]; known {
		return key, nil
	}
	return nil, ErrUnknownKey
}

// Keys yields the keys that are loaded at the time of the call, in the order of the
// file; none before a file is loaded.
func (f *File) Keys() iter.Seq[*Key] {
	t := f.table.Load()
	if t == nil {
		return slices.Values[[]*Key](nil)
	}
	return slices.Values(t.keys)
}
