// Package htpasswd verifies passwords against a password file in htpasswd
// form, for the Basic scheme of core/basic.
//
// A file has a line user:hash for each user; blank lines and lines that begin
// with # are skipped. Hashes are bcrypt only: the other forms that htpasswd
// knows (MD5, SHA-1, crypt, plain text) can be guessed at billions a second
// and are refused when the file is read. A line is made with
//
//	htpasswd -nB -C 12 alice
//
// where -C is the cost; htpasswd's own default of 5 is refused as too low.
package htpasswd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-go/sallyport/core/basic"
)

// MaxBytes is the largest password file that is read; some 200,000 users.
const MaxBytes = 16 << 20

// File is a password file, read once. It is made by [Open] or [Parse] and safe
// for concurrent use.
type File struct {
	// table is replaced as a whole and never changed, so that a verification
	// sees one state of the file.
	table   atomic.Pointer[table]
	minCost int
	slots   chan struct{} // one for each hash that may be computed at a time
	maxWait time.Duration
	compare func(hash, password []byte) error
}

var _ basic.Verifier = (*File)(nil)

// Option configures a [File].
type Option func(*File) error

// MinCost sets the lowest bcrypt cost that a hash in the file may have; 10 by
// default. It may be 4 to 16. Lower it for tests only: each step halves the
// work of someone who guesses.
func MinCost(cost int) Option {
	return func(f *File) error {
		if cost < bcrypt.MinCost || cost > maxCost {
			return fmt.Errorf("minimum cost %d: must be %d to %d", cost, bcrypt.MinCost, maxCost)
		}
		f.minCost = cost
		return nil
	}
}

// Concurrency sets how many hashes are computed at a time; GOMAXPROCS by
// default, at least 1. More only make each other slower.
func Concurrency(n int) Option {
	return func(f *File) error {
		if n < 1 {
			return fmt.Errorf("concurrency %d: at least 1", n)
		}
		f.slots = make(chan struct{}, n)
		return nil
	}
}

// MaxWait sets how long a verification waits for its turn; 1 s by default. 0
// means not at all.
func MaxWait(d time.Duration) Option {
	return func(f *File) error {
		if d < 0 {
			return fmt.Errorf("maximum wait %v: must not be negative", d)
		}
		f.maxWait = d
		return nil
	}
}

// Open reads the password file at path. Its errors are those of [Parse], with
// path for the name, or say why the file could not be read.
func Open(path string, opts ...Option) (*File, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	defer func() { _ = r.Close() }() // only read
	return Parse(path, r, opts...)
}

// Parse reads a password file from r. It computes no hash, so it is quick.
//
// The error holds every finding at once, each as "name:line: message" and
// joined with [errors.Join]: a line without colon, an empty, unprintable or
// repeated user, a hash that is not bcrypt or is damaged, a cost below
// [MinCost] or above 16, a byte order mark. Messages hold no hash and no
// password. A file without any user, or of more than [MaxBytes], is an error
// too.
func Parse(name string, r io.Reader, opts ...Option) (*File, error) {
	f := &File{minCost: defaultMinCost, maxWait: time.Second, compare: bcrypt.CompareHashAndPassword}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("htpasswd: option %d is nil", i+1)
		}
		if err := opt(f); err != nil {
			return nil, fmt.Errorf("htpasswd: %w", err)
		}
	}
	if f.slots == nil {
		f.slots = make(chan struct{}, runtime.GOMAXPROCS(0))
	}
	if r == nil {
		return nil, errors.New("htpasswd: reader is nil")
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("htpasswd: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s: larger than %d bytes: keep so many users in a database", name, MaxBytes)
	}
	t, err := parseTable(name, string(data), f.minCost)
	if err != nil {
		return nil, err
	}
	f.table.Store(t)
	return f, nil
}
