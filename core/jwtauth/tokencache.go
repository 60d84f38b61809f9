package jwtauth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/cache"
)

const (
	defaultCacheSize = 4096
	maxCacheSize     = 1 << 20
	// maxCachedToken bounds what one entry may hold, in bytes of the token.
	maxCachedToken = 4 << 10
	// cachedForever is how long a token without exp is kept.
	cachedForever = time.Hour
)

// CacheSize sets for how many tokens the outcome of verification is kept: 4096
// by default, 0 for none, at most 1048576. An entry takes a few KiB; tokens
// above 4 KiB are verified each time.
//
// Only the signature and the reading of claims are saved. Every request looks
// again whether the key is still in use, whether the token's times are good and
// whether it was revoked. An entry is found by a hash of the whole token, so
// that another spelling of it is verified by itself.
func CacheSize(n int) Option {
	return func(v *Verifier) error {
		if n < 0 || n > maxCacheSize {
			return fmt.Errorf("cache size %d: from 0 to %d tokens", n, maxCacheSize)
		}
		v.cacheSize = n
		return nil
	}
}

// digest names a token in the cache. Signature included: a stolen payload with
// another signature must not be found.
func digest(token string) cache.Key {
	var room [1024]byte // for most tokens, so that the copy stays on the stack
	return sha256.Sum256(append(room[:0], token...))
}

// recall judges a token again that passed before, nil when it has to be
// verified anew.
func (v *Verifier) recall(ctx context.Context, id cache.Key, scheme string) (*verified, error) {
	now := v.now()
	t, ok := v.cache.Get(id, now)
	if !ok || t.scheme != scheme {
		return nil, nil
	}
	key, err := v.key(ctx, t.header)
	if err != nil {
		return nil, err
	}
	if key != t.key {
		return nil, nil // the source has another key under this name now
	}
	if err := v.checkTimes(t.validity, now); err != nil {
		return nil, err
	}
	if err := v.checkRevoked(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// remember keeps a token until it expires.
func (v *Verifier) remember(id cache.Key, t *verified) {
	now := v.now()
	until := now.Add(cachedForever)
	if !t.validity.exp.IsZero() {
		until = t.validity.exp.Add(v.leeway)
	}
	v.cache.Put(id, t, until, now)
}
