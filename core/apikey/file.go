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

// MaxFileBytes is the largest key file that is read; some 50,000 keys.
const MaxFileBytes = 16 << 20

// errNotLoaded makes every request 503, and none 401.
var errNotLoaded = errors.New("apikey: no key file has been loaded: call Load, or watch.Load, before serving")

// File is a [Store] of the keys in a key file. The zero File has nothing
// loaded: every lookup fails, which is 503. It is safe for concurrent use and
// must not be copied.
//
// A key file is UTF-8 text. Each key begins with its ID in brackets, and a line
// "name = value" follows for each thing known of it:
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
// hash and owner are required. Times are RFC 3339; what follows that of revoked
// is the reason. A value ends with its line and has neither quotes nor a
// comment behind it.
type File struct {
	table atomic.Pointer[table]
}

var _ Store = (*File)(nil)

// Absent is the error for a path without file. It says how to make one.
func (*File) Absent(path string) error {
	return fmt.Errorf("apikey: there is no key file %s: make a key with \"sallyport apikey new -f FILE --owner NAME\": %w", path, fs.ErrNotExist)
}

// OpenFile reads the key file at path once. Its errors are those of [File.Load],
// or say why the file could not be read.
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

// Load puts the keys in data, the content of the file called name, in the place
// of those loaded before; with an error these stay. It is what watch.Load of
// core/watch calls when the file has changed.
//
// The error holds every finding at once, up to a hundred, each as "name:line:
// message" and joined with [errors.Join]. A file without any key, or of more
// than [MaxFileBytes], is an error too. Messages hold nothing that could be a key.
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

// Keys are all keys of the file in its order, as they are at the call; none
// before one is loaded.
func (f *File) Keys() iter.Seq[*Key] {
	t := f.table.Load()
	if t == nil {
		return slices.Values[[]*Key](nil)
	}
	return slices.Values(t.keys)
}
