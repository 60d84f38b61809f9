package jwtauth

import (
	"context"
	"errors"
	"fmt"
)

// KeySource finds keys. Implementations must be safe for concurrent use.
type KeySource interface {
	// Keys returns the keys with the given kid, or all keys if kid is "". If it
	// returns no keys and no error, there is no such key, and the token is refused
	// with 401.
	//
	// The [Verifier] skips returned keys whose kid or algorithm is not the token's,
	// and verifies nothing if two keys fit. It does not modify the slice.
	//
	// kid comes from the client, unverified: 1 to 256 bytes of any UTF-8, not to be
	// used in paths, queries or addresses.
	//
	// An error means that the keys are not available. It results in 503, and a
	// core.UnavailableError may say how long to wait.
	//
	// A source whose keys may change under the same kid can also have a method
	// Renew, like [RemoteKeys], which is called if a signature does not verify.
	Keys(ctx context.Context, kid string) ([]*Key, error)
}

// KeySet is a fixed set of keys. It is immutable, safe for concurrent use and
// never fails.
type KeySet struct {
	all  []*Key
	byID map[string][]*Key
}

var _ KeySource = (*KeySet)(nil)

// NewKeySet returns a set of keys. It must not be empty, contain a kid twice, or
// mix secrets with public keys.
func NewKeySet(keys ...*Key) (*KeySet, error) {
	if len(keys) == 0 {
		return nil, errors.New("key set is empty: no token could be verified")
	}
	s := &KeySet{byID: make(map[string][]*Key, len(keys))}
	for i, k := range keys {
		if k == nil || k.key.Algorithm() == nil {
			return nil, fmt.Errorf("key %d: is nil or was not made by this package", i+1)
		}
		if err := s.add(k); err != nil {
			return nil, fmt.Errorf("key %d (kid %q): %w", i+1, k.id, err)
		}
	}
	return s, nil
}

func (s *KeySet) add(k *Key) error {
	if len(s.all) > 0 && s.all[0].key.Secret() != k.key.Secret() {
		return errors.New("a secret and a public key in one set: put them in separate sets")
	}
	if k.id != "" {
		if _, twice := s.byID[k.id]; twice {
			return errors.New("this kid is in the set twice: a token could not say which key it means")
		}
		s.byID[k.id] = []*Key{k}
	}
	s.all = append(s.all, k)
	return nil
}

// Keys implements [KeySource].
func (s *KeySet) Keys(_ context.Context, kid string) ([]*Key, error) {
	if kid == "" {
		return s.all, nil
	}
	return s.byID[kid], nil
}
