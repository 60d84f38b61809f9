// Package htpasswd verifies passwords against a password file in htpasswd format,
// for the Basic scheme of core/basic.
//
// A file has a line user:hash for each user; blank lines and lines that begin with
// # are skipped. Hashes are bcrypt or argon2id: the other formats of htpasswd (MD5,
// SHA-1, crypt, plain text) can be guessed at billions per second and are refused
// when the file is read. [SetUser] writes a line, and so do
//
//	sallyport passwd users.htpasswd alice
//	htpasswd -B -C 12 users.htpasswd alice
//
// where -C is the cost; htpasswd's default of 5 is refused as too low. An argon2id
// hash is a PHC string, as printed by the argon2 command:
//
//	alice:$argon2id$v=19$m=19456,t=2,p=1$…$…
//
// User and password are compared in Unicode normalization form C, so that it does
// not matter how a keyboard composes letters (RFC 7617 §2.1). A password must have
// been hashed in that form, in which most systems produce typed text.
//
// [OpenFile] reads a file once. For a file that is edited while the service runs,
// use [New] and core/watch:
//
//	users, err := htpasswd.New()
//	...
//	watcher, err := watch.Load("users.htpasswd", users)
package htpasswd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/option"
)

// MaxFileBytes is the maximum size of a password file; about 200,000 users.
const MaxFileBytes = 16 << 20

// File holds the users of a password file. It is created by [New], [OpenFile] or
// [Parse] and safe for concurrent use.
type File struct {
	// table is replaced as a whole and never modified, so that a verification sees
	// one state of the file. It is nil until a file is loaded.
	table   atomic.Pointer[table]
	loading sync.Mutex // orders what replaces table
	limits  limits
	slots   *slots
	matches matching
}

var (
	_ basic.Versioned = (*File)(nil)
	_ basic.Speller   = (*File)(nil)
)

// New returns a File without users, for [File.Load]. Until a file is loaded, every
// password is refused with a core.UnavailableError.
func New(opts ...Option) (*File, error) {
	c := &config{
		limits:      limits{minCost: defaultMinCost, memory: defaultMemory},
		concurrency: min(runtime.GOMAXPROCS(0), maxTurns),
		maxWait:     time.Second,
	}
	if err := option.Apply(c, opts); err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	return &File{
		limits:  c.limits,
		slots:   newSlots(c.concurrency, c.limits.memory, c.maxWait),
		matches: (*hash).matches,
	}, nil
}

// Absent returns the error for a path without a file. It says how to create one.
func (*File) Absent(path string) error {
	return fmt.Errorf("htpasswd: there is no password file %s: make one with \"sallyport passwd FILE USER\": %w", path, fs.ErrNotExist)
}

// OpenFile reads the password file at path. Its error is one of [File.Load], with
// path as the name, or says why the file could not be read.
func OpenFile(path string, opts ...Option) (*File, error) {
	r, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, new(File).Absent(path)
	}
	if err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	defer func() { _ = r.Close() }() // only read
	return Parse(path, r, opts...)
}

// Parse reads a password file from r. Its errors are those of [File.Load] and
// of r.
func Parse(name string, r io.Reader, opts ...Option) (*File, error) {
	f, err := New(opts...)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("htpasswd: reader is nil")
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	if err := f.Load(name, data); err != nil {
		return nil, err
	}
	return f, nil
}

// Load replaces all users with those of data, the content of a password file. If it
// returns an error, the users stay as they were. It computes no hash, so it is
// fast. A verification that has begun uses the users from when it began.
//
// The error lists all findings, each as "name:line: message" and joined with
// [errors.Join]: a line without colon; an empty, unprintable or repeated user,
// where names that differ only in normalization are the same; a hash that is
// neither bcrypt nor argon2id or is damaged; a bcrypt cost below [WithMinCost] or
// above 16; argon2id below the settings of the OWASP Password Storage Cheat Sheet,
// which range from 46 MiB for one pass to 7 MiB for five, or above [WithMaxMemory]
// or 4 GiB for all passes together; more than four argon2id settings; a byte order
// mark. Messages never quote a hash or a password. A file without any user, or of
// more than [MaxFileBytes], is an error too.
func (f *File) Load(name string, data []byte) error {
	if len(data) > MaxFileBytes {
		return fmt.Errorf("%s: larger than %d bytes: keep this many users in a database", name, MaxFileBytes)
	}
	t, err := parseTable(name, string(data), f.limits)
	if err != nil {
		return err
	}
	f.loading.Lock()
	defer f.loading.Unlock()
	t.version = f.Version() + 1
	f.table.Store(t)
	return nil
}

// Version implements [basic.Versioned]. It returns the number of times a file was
// loaded.
func (f *File) Version() uint64 {
	if t := f.table.Load(); t != nil {
		return t.version
	}
	return 0
}
