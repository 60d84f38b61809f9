package digest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/sharedstore"
	"github.com/sallyport-go/sallyport/core/option"
)

// CountStore remembers which counts of nonces were used, for all instances of a
// service (servers use the count to detect replays, RFC 7616 §5.12).
// Implementations must be safe for concurrent use, and decide atomically.
type CountStore interface {
	// Use stores a count of a nonce for at least ttl, which is positive, and
	// reports whether it is fresh, that is, was not stored before. Of several calls
	// with the same nonce and count within ttl, at most one returns true. nonce is
	// a hash, which reveals nothing of the nonce.
	//
	// An error means that it could not be decided, and results in 503.
	Use(ctx context.Context, nonce [32]byte, count uint32, ttl time.Duration) (fresh bool, err error)
}

// countTimeout is how long a store with a fallback may take before this instance
// decides alone.
const countTimeout = 250 * time.Millisecond

// WithCounts asks s about each right response that is new to this instance, so that
// an overheard response does not work at any other instance either. It requires
// [WithNonceKey]. While s fails, requests get 503, unless [WithCountFallback] is
// given.
func WithCounts(s CountStore) Option {
	return func(o *settings) error { return option.SetOnce(&o.counts, s, "count store") }
}

// WithCountFallback lets this instance decide alone while the store of [WithCounts]
// fails or takes longer than 250 ms: a response then works once at each instance,
// as without a store, and nobody is signed out. told, which may be nil, is called
// with the error when the store begins to fail, and with nil when it works again;
// it must be fast and safe for concurrent use.
func WithCountFallback(told func(err error)) Option {
	return func(o *settings) error {
		o.fallback = &sharedstore.Calls{Timeout: countTimeout, Told: told}
		return nil
	}
}

// sharedCounts asks a store.
type sharedCounts struct {
	store    CountStore
	fallback *sharedstore.Calls // nil for none
	realm    string
	lifetime time.Duration
}

// newSharedCounts returns nil without a store.
func newSharedCounts(s *settings, realm string) (*sharedCounts, error) {
	switch {
	case s.counts == nil && s.fallback != nil:
		return nil, errors.New("WithCountFallback requires WithCounts")
	case s.counts == nil:
		return nil, nil
	case !s.sharedKey:
		return nil, errors.New("WithCounts requires WithNonceKey, so that instances accept each other's nonces")
	}
	return &sharedCounts{s.counts, s.fallback, realm, s.lifetime}, nil
}

// use reports whether a count that is new to this instance may be used.
func (c *sharedCounts) use(ctx context.Context, id nonceID, count uint32, now int64) (usability, error) {
	if c == nil {
		return usable, nil
	}
	// An instance whose clock is behind accepts the nonce for up to a lifetime
	// longer.
	ttl := max(time.Duration(id.issued()-now)+2*c.lifetime, time.Millisecond)
	nonce := sha256.Sum256(append([]byte("sallyport digest count\x00"+c.realm+"\x00"), id[:]...))
	fresh := true
	ask := func(ctx context.Context) (err error) {
		fresh, err = c.store.Use(ctx, nonce, count, ttl)
		return err
	}
	if c.fallback != nil {
		if c.fallback.Do(ctx, ask) != nil {
			return usable, nil // this instance has decided
		}
	} else if err := ask(ctx); err != nil {
		return stale, &core.UnavailableError{Err: fmt.Errorf("digest: counts: %w", err)}
	}
	if !fresh {
		return replayed, nil
	}
	return usable, nil
}
