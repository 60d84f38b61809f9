package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core"
)

// KeyFile is a [KeySource] of a JWK set in a file that is edited while the
// service runs: hand it to watch.Load. A key that is put in is good at once,
// and one that is taken out is gone, for kept tokens too.
//
// Before a set is loaded every token is 503. A KeyFile is made by [NewKeyFile]
// and safe for concurrent use.
type KeyFile struct {
	opts []KeySetOption
	set  atomic.Pointer[KeySet]
}

var _ KeySource = (*KeyFile)(nil)

var errNothingLoaded = errors.New("jwtauth: no key set has been loaded yet")

// NewKeyFile makes a KeyFile without keys, whose sets are read with opts.
func NewKeyFile(opts ...KeySetOption) *KeyFile { return &KeyFile{opts: opts} }

// Load replaces the set by the one in data, read by [KeySetFromJWKS]. With an
// error the set that was there stays.
func (f *KeyFile) Load(name string, data []byte) error {
	set, err := KeySetFromJWKS(name, data, f.opts...)
	if err != nil {
		return err
	}
	f.set.Store(set)
	return nil
}

// Absent is the error for a path without file. It says how to make one.
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
