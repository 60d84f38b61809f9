package basic

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/cache"
	"github.com/sallyport-go/sallyport/core/internal/flight"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/tally"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
	"github.com/sallyport-go/sallyport/core/option"
)

const (
	defaultTTL  = 30 * time.Second
	maxTTL      = 10 * time.Minute
	defaultSize = 4096
	maxSize     = 1 << 20
)

// Cache is a [Verifier] that remembers for a while which passwords another verifier
// accepted, so that each image of a page does not cost a password hash. It is
// created by [NewCache] and safe for concurrent use.
//
// Only successes are kept, under a keyed hash of user and password with a key that
// never leaves the process; refusals are not cached. Concurrent requests with the
// same credentials wait for one verification and share its result.
//
// If the other verifier is [Versioned], a change of its passwords takes effect with
// the next request. Otherwise an old password, or a user who was removed, may pass
// until the entry expires; see [Cache.Clear]. A principal is never kept beyond its
// own Expires.
//
// Wrap a Cache around the verifier that checks passwords, and any check needed for
// every request around the Cache. An attacker who can read the memory of the
// process can guess the cached passwords quickly, but could also read passwords as
// they pass through.
type Cache struct {
	verifier Verifier
	version  func() uint64
	ttl      time.Duration
	size     int
	now      func() time.Time
	key      [sha256.Size]byte
	cleared  atomic.Uint64 // number of calls to Clear
	known    *cache.Cache[*core.Principal]
	calls    flight.Group[*core.Principal]
	hits     tally.Counter
	misses   tally.Counter
}

var (
	_ Versioned = (*Cache)(nil)
	_ Speller   = (*Cache)(nil)
)

// CacheOption configures a [Cache].
type CacheOption func(*Cache) error

// WithCacheTTL sets how long a right password is remembered: 30 s by default, at
// most 10 minutes. Use does not extend it.
func WithCacheTTL(d time.Duration) CacheOption {
	return func(c *Cache) error {
		return option.SetUnless(&c.ttl, d, d <= 0 || d > maxTTL, "cache TTL %v: must be above 0 and at most %v", d, maxTTL)
	}
}

// WithCacheSize sets how many passwords are remembered: 4096 by default, at most
// 1,048,576, rounded up to a power of two. Each takes about 100 bytes besides its
// principal. When the cache is full, some are forgotten early.
func WithCacheSize(n int) CacheOption {
	return func(c *Cache) error {
		return option.SetUnless(&c.size, n, n < 1 || n > maxSize, "cache size %d: must be 1 to %d", n, maxSize)
	}
}

// WithClock sets the clock, for tests; [time.Now] by default.
func WithClock(now func() time.Time) CacheOption {
	return func(c *Cache) error { return option.Set(&c.now, now, "clock is nil") }
}

// NewCache returns a cache in front of v.
func NewCache(v Verifier, opts ...CacheOption) (*Cache, error) {
	if isnil.Value(v) {
		return nil, errors.New("basic: cache: verifier is nil: without one no password can be checked")
	}
	c := &Cache{
		verifier: v,
		version:  func() uint64 { return 0 },
		ttl:      defaultTTL,
		size:     defaultSize,
		now:      time.Now,
		calls:    flight.Group[*core.Principal]{Name: "basic"},
	}
	if err := checkWrapper(v, maxWrappers); err != nil {
		return nil, fmt.Errorf("basic: cache: %w", err)
	}
	if versioned, ok := wrapped.As[Versioned](v); ok {
		c.version = versioned.Version
	}
	if err := option.Apply(c, opts); err != nil {
		return nil, fmt.Errorf("basic: cache: %w", err)
	}
	if _, err := rand.Read(c.key[:]); err != nil {
		return nil, fmt.Errorf("basic: cache: no random key: %w", err)
	}
	c.known = cache.New[*core.Principal](c.size)
	return c, nil
}

// VerifyPassword implements [Verifier] with the results of the verifier behind it.
// A request that ends while it waits for another one's verification gets a
// [core.UnavailableError].
func (c *Cache) VerifyPassword(ctx context.Context, user, password string) (*core.Principal, error) {
	// The versions are read first: a result found while they change is stored under
	// an old version, which no later request asks for.
	k := c.keyOf(user, password)
	if p, ok := c.known.Get(k, c.now()); ok {
		c.hits.Add()
		return p, nil
	}
	c.misses.Add()
	return c.calls.Do(ctx, k, func() (*core.Principal, error) {
		p, err := c.verifier.VerifyPassword(ctx, user, password)
		if err != nil || p == nil {
			return p, err
		}
		now := c.now()
		until := now.Add(c.ttl)
		if e := p.Expires(); !e.IsZero() && e.Before(until) {
			until = e
		}
		c.known.Put(k, p, until, now)
		return p, nil
	})
}

// Clear forgets all passwords: later requests are verified again.
func (c *Cache) Clear() {
	c.cleared.Add(1)
	c.known.Clear()
}

// Stats returns counts for metrics. A miss is a password that was verified, or that
// waited for another request to verify it.
func (c *Cache) Stats() core.CacheStats {
	return core.CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load(), Entries: c.known.Len()}
}

// Version implements [Versioned] with the version of the verifier behind it, or 0
// if it has none.
func (c *Cache) Version() uint64 { return c.version() }

// Spelling implements [Speller] as the verifier behind it does.
func (c *Cache) Spelling(user string) string { return spelling(c.verifier, user) }

// keyOf hashes everything that a result depends on. The length in front of the user
// keeps user a with password b:c apart from user a:b with password c.
func (c *Cache) keyOf(user, password string) cache.Key {
	buf := make([]byte, 0, 256)
	buf = binary.BigEndian.AppendUint64(buf, c.cleared.Load())
	buf = binary.BigEndian.AppendUint64(buf, c.version())
	buf = binary.BigEndian.AppendUint64(buf, uint64(len(user)))
	buf = append(buf, user...)
	buf = append(buf, password...)
	mac := hmac.New(sha256.New, c.key[:])
	_, _ = mac.Write(buf) // never fails
	var k cache.Key
	mac.Sum(k[:0])
	return k
}
