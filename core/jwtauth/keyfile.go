package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
)

// KeyFile is a [KeySource] of a JWK set in a file that may be edited while the
// service runs: pass it to watch.Load. An added key works at once, and a removed
// one stops working, even for cached tokens.
//
// Before a set is loaded, every token results in 503. A KeyFile is created by
// [NewKeyFile] and safe for concurrent use.
type KeyFile struct {
	opts []KeySetOption
	set  atomic.Pointer[KeySet]
}

var _ KeySource = (*KeyFile)(nil)

var errNothingLoaded = errors.New("jwtauth: no key set has been loaded yet")

// NewKeyFile returns a KeyFile without keys, whose sets are parsed with opts.
func NewKeyFile(opts ...KeySetOption) *KeyFile { return &KeyFile{opts: opts} }

// Load replaces the set with the one in data, parsed by [KeySetFromJWKS]. If it
// returns an error, the current set stays.
func (f *KeyFile) Load(name string, data []byte) error {
	set, err := KeySetFromJWKS(name, data, f.opts...)
	if err != nil {
		return err
	}
	f.set.Store(set)
	return nil
}

// Absent returns the error for a path without a file. It says how to create one.
func (*KeyFile) Absent(path string) error {
	return fmt.Errorf("jwtauth: there is no JWK set %s: make a key pair with \"sallyport keys new\", turn a key in PEM into a set with \"sallyport keys jwks\", or Fetch it from the issuer: %w", path, fs.ErrNotExist)
}

// Keys implements [KeySource].
func (f *KeyFile) Keys(ctx context.Context, kid string) ([]*Key, error) {
	set := f.set.Load()
	if set == nil {
		return nil, &core.UnavailableError{Err: errNothingLoaded}
	}
	return set.Keys(ctx, kid)
}
