package jwtauth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
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

// WithCacheSize sets for how many tokens the outcome of verification is kept: 4096
// by default, 0 for none, at most 1048576. An entry takes a few KiB; tokens
// above 4 KiB are verified each time.
//
// Only the signature and the reading of claims are saved. Every request looks
// again whether the key is still in use, whether the token's times are good and
// whether it was revoked. An entry is found by the whole token, header and
// payload as spelt and a SHA-256 hash of the signature, so that another spelling
// is verified by itself. Of the signature no more than that hash is kept, so
// that the cache holds no token that could be used.
func WithCacheSize(n int) Option {
	return func(v *Verifier) error {
		if err := v.terms.Given.Add("WithCacheSize"); err != nil {
			return err
		}
		if n < 0 || n > maxCacheSize {
			return fmt.Errorf("cache size %d: must be from 0 to %d tokens", n, maxCacheSize)
		}
		v.cacheSize = n
		return nil
	}
}

// CacheStats are for metrics; all are 0 without a cache. A token that was found and
// refused all the same, as one that was revoked since, is a hit.
func (v *Verifier) CacheStats() core.CacheStats {
	if v.cache == nil {
		return core.CacheStats{}
	}
	return core.CacheStats{Hits: v.hits.Load(), Misses: v.misses.Load(), Entries: v.cache.Len()}
}

// place is where a token stands in the cache: under the hash of its signature,
// and only if all before that is the same. Together they are as exact as a hash
// of the whole, for half of its time or less, and clients cannot choose where
// something goes in, since they cannot choose good signatures.
type place struct {
	hash   cache.Key
	signed string
}

func placeOf(token string) place {
	// From the front: 16 ns for an RS256 token, of which LastIndexByte takes 158.
	dot := strings.IndexByte(token, '.')
	dot += 1 + strings.IndexByte(token[dot+1:], '.')
	var room [512]byte // for most signatures, so that the copy stays on the stack
	return place{
		hash:   sha256.Sum256(append(room[:0], token[dot+1:]...)),
		signed: token[:max(dot, 0)],
	}
}

// find is what the cache holds at a place, nil for nothing, and until when.
func (v *Verifier) find(at place) (*verified, time.Time) {
	if v.cache == nil {
		return nil, time.Time{}
	}
	t, until, ok := v.cache.Peek(at.hash)
	if !ok || t.signed != at.signed {
		return nil, until
	}
	return t, until
}

// knows reports whether the verifier has verified that token and still has it.
func (v *Verifier) knows(at place) bool {
	t, _ := v.find(at)
	return t != nil
}

// recall judges a token again that passed before, nil when it has to be
// verified anew: also at a time at which it is not good, since the error says
// why. The time is taken last, since the key source may take some.
func (v *Verifier) recall(ctx context.Context, at place, scheme string) (*verified, error) {
	t, until := v.find(at)
	if t == nil || t.scheme != scheme {
		return nil, nil
	}
	key, err := v.key(ctx, t.header)
	if err != nil {
		return nil, err
	}
	if key != t.key {
		return nil, nil // the source has another key under this name now
	}
	if now := v.terms.Now(); now.Before(t.from) || !now.Before(until) {
		return nil, nil
	}
	if err := v.checkRevoked(ctx, t); err != nil {
		return nil, err
	}
	if err := v.checkDevelopment(ctx, key); err != nil {
		return nil, err
	}
	return t, nil
}

// remember keeps a token until it expires. t is not in use elsewhere yet.
func (v *Verifier) remember(at place, t *verified) {
	from, until := v.goodTimes(t.validity)
	if until.IsZero() {
		until = t.judged.Add(cachedForever)
	}
	t.from = from
	t.signed = strings.Clone(at.signed) // the token itself is not kept
	v.cache.Put(at.hash, t, until, t.judged)
}
