package jwtauth

import (
	"context"
	"errors"
	"fmt"
)

// KeySource finds keys. Implementations must be safe for concurrent use.
type KeySource interface {
	// Keys returns the keys called kid, or all keys when kid is "". None
	// without an error means that there is no such key, and the token is
	// refused with 401.
	//
	// The keys given back are judged by the [Verifier]: a key of another kid
	// or algorithm than the token's is passed over, and two that fit verify
	// nothing. The slice is not modified.
	//
	// kid comes from the client and is not verified: 1 to 256 bytes of any
	// UTF-8, not to be used in paths, queries or addresses.
	//
	// An error means that the keys could not be had. It is 503, and a
	// core.UnavailableError may say how long to wait.
	//
	// A source whose keys may change under their names can have the method Renew
	// of [RemoteKeys] too, to be asked once more when a signature does not fit.
	Keys(ctx context.Context, kid string) ([]*Key, error)
}

// KeySet is a fixed set of keys. It is immutable, safe for concurrent use and
// never fails.
type KeySet struct {
	all  []*Key
	byID map[string][]*Key
}

var _ KeySource = (*KeySet)(nil)

// NewKeySet makes a set of keys. It must not be empty, no kid may come twice,
// and secrets and public keys do not go together in one set.
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
		return errors.New("a secret and a public key in one set: keep them in sets of their own")
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
