package digest

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/sharedstore"
	"github.com/sallyport-go/sallyport/core/option"
)

// Defaults and limits of nonces.
const (
	defaultLifetime  = 5 * time.Minute
	maxLifetime      = 24 * time.Hour
	defaultMaxNonces = 1 << 16
	mostNonces       = 1 << 22
	minKey           = 32
)

// Option configures an [Authenticator].
type Option func(*settings) error

// settings holds what the options set.
type settings struct {
	also      map[Algorithm]bool
	userHash  bool
	key       []byte
	previous  [][]byte
	lifetime  time.Duration
	maxNonces int
	clock     func() time.Time
	sharedKey bool               // key was given
	counts    CountStore         // nil for none
	fallback  *sharedstore.Calls // nil for none
}

func defaults() *settings {
	s := &settings{
		also:      map[Algorithm]bool{},
		key:       make([]byte, minKey),
		lifetime:  defaultLifetime,
		maxNonces: defaultMaxNonces,
		clock:     time.Now,
	}
	_, _ = rand.Read(s.key) // never fails: without randomness the program ends
	return s
}

// algorithms returns the offered algorithms, preferred first. Clients take the
// first that they know, and some only ever look at the first, so it is the one that
// all know (RFC 7616 §3.7).
func (s *settings) algorithms() []Algorithm {
	return slices.DeleteFunc([]Algorithm{SHA256, SHA512256, MD5}, func(a Algorithm) bool {
		return a != SHA256 && !s.also[a]
	})
}

// WithMoreAlgorithms offers further algorithms, [SHA512256] or [MD5]. SHA-256 is
// always offered first and MD5 last.
//
// Some clients, curl 7.88 among them, claim SHA-512-256 but compute SHA-256: they
// are refused if they choose it. Offer MD5 only for clients that support nothing
// else: anyone who sees one response, or the file, can guess passwords at great
// speed, and an attacker on the path can make clients choose it.
func WithMoreAlgorithms(algorithms ...Algorithm) Option {
	return func(s *settings) error {
		for _, a := range algorithms {
			if a != SHA512256 && a != MD5 {
				return fmt.Errorf("algorithm %q: must be SHA-512-256 or MD5; SHA-256 is always offered", a)
			}
			s.also[a] = true
		}
		return nil
	}
}

// WithUserHash offers userhash=true: clients may send H(user:realm) in place of the
// user's name (RFC 7616 §3.4.4). The name itself is still accepted. The store must
// be a [UserHashStore].
func WithUserHash() Option { return func(s *settings) error { return option.On(&s.userHash) } }

// WithNonceKey sets the secret for making nonces: 32 random bytes or more, shared
// by several instances of a service, each of which then accepts the nonces of all.
// By default every authenticator makes its own secret. Nonces made with one of the
// previous keys are accepted too, so that keys can be changed without a 401 for
// every client: give all instances the new key as a previous one first, then as
// secret. The keys are not retained.
//
// Without [WithCounts] each instance knows only the responses that it has accepted
// itself: an eavesdropper can replay one once to each other instance, until the
// nonce expires. The clocks of the instances must differ by less than the lifetime
// of a nonce.
func WithNonceKey(secret []byte, previous ...[]byte) Option {
	return func(s *settings) error {
		if len(secret) < minKey {
			return fmt.Errorf("key of %d bytes: must have at least %d random bytes", len(secret), minKey)
		}
		for i, key := range previous {
			if len(key) < minKey {
				return fmt.Errorf("previous key %d of %d bytes: must have at least %d random bytes", i+1, len(key), minKey)
			}
		}
		s.key, s.previous, s.sharedKey = secret, previous, true // New keeps only keys derived from them
		return nil
	}
}

// WithNonceLifetime sets how long a nonce may be used; 5 minutes by default, at
// least 1 s and at most 24 h. A client that uses it for longer gets stale=true and
// repeats one request. Nonces made before New are stale as well.
func WithNonceLifetime(d time.Duration) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.lifetime, d, d < time.Second || d > maxLifetime, "nonce lifetime %v: must be 1s to %v", d, maxLifetime)
	}
}

// WithMaxNonces sets how many nonces in use are remembered, with the counts used;
// 65,536 by default, 1 to 4,194,304. Each takes some 150 bytes. Beyond the limit
// the nonce that was first used becomes stale: that costs its client a round trip,
// and never lets a request pass twice.
func WithMaxNonces(n int) Option {
	return func(s *settings) error {
		return option.SetUnless(&s.maxNonces, n, n < 1 || n > mostNonces, "%d nonces: must be 1 to %d", n, mostNonces)
	}
}

// WithClock sets the clock, for tests; [time.Now] by default. It must be safe for
// concurrent use.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { return option.Set(&s.clock, now, "clock is nil") }
}
