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

// settings is what the options make.
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

// algorithms are those that are offered, the preferred one first. Clients take
// the first that they know, and some take the first and none else, so that it is
// the one they all know (RFC 7616 §3.7).
func (s *settings) algorithms() []Algorithm {
	return slices.DeleteFunc([]Algorithm{SHA256, SHA512256, MD5}, func(a Algorithm) bool {
		return a != SHA256 && !s.also[a]
	})
}

// WithMoreAlgorithms offers further algorithms, [SHA512256] or [MD5]. In whatever order they
// are named, SHA-256 is offered first and MD5 last.
//
// Some clients, curl 7.88 among them, say SHA-512-256 and compute SHA-256: they
// are refused if they choose it. Offer MD5 only for clients that know
// nothing else: whoever gets to see one answer, or the file, guesses passwords
// at great speed, and an attacker on the way can make clients choose it.
func WithMoreAlgorithms(algorithms ...Algorithm) Option {
	return func(s *settings) error {
		for _, a := range algorithms {
			if a != SHA512256 && a != MD5 {
				return fmt.Errorf("algorithm %q: SHA-256 is always offered; besides it there are SHA-512-256 and MD5", a)
			}
			s.also[a] = true
		}
		return nil
	}
}

// WithUserHash offers userhash=true: clients may send H(user:realm) in place of the
// user's name (RFC 7616 §3.4.4). The name itself stays possible. The store must
// be a [UserHashStore].
func WithUserHash() Option {
	return func(s *settings) error {
		s.userHash = true
		return nil
	}
}

// WithNonceKey sets the secret that nonces are made with: 32 random bytes or more, for
// several instances of a service, each of which then takes the nonces of all.
// By default every authenticator makes its own. Nonces by one of the previous keys
// are taken too, so that keys can be changed without a 401 for every client: give
// all instances the new key as a previous one first, then as the first. The keys
// are not kept.
//
// Without [WithCounts] each instance knows only the answers that it has taken itself:
// whoever has overheard one can have it accepted once more by each other instance,
// until the nonce expires. The clocks of the instances may differ by less than the
// lifetime of a nonce.
func WithNonceKey(secret []byte, previous ...[]byte) Option {
	return func(s *settings) error {
		if len(secret) < minKey {
			return fmt.Errorf("key of %d bytes: must have at least %d, made at random", len(secret), minKey)
		}
		for i, key := range previous {
			if len(key) < minKey {
				return fmt.Errorf("previous key %d of %d bytes: must have at least %d, made at random", i+1, len(key), minKey)
			}
		}
		s.key, s.previous, s.sharedKey = secret, previous, true // New keeps what it derives from them
		return nil
	}
}

// WithNonceLifetime sets for how long a nonce may be used; 5 minutes by default, at
// least 1 s and at most 24 h. A client that goes on after it is told so with
// stale=true and repeats one request. Nonces made before New are stale as well.
func WithNonceLifetime(d time.Duration) Option {
	return func(s *settings) error {
		if d < time.Second || d > maxLifetime {
			return fmt.Errorf("nonce lifetime %v: must be 1s to %v", d, maxLifetime)
		}
		s.lifetime = d
		return nil
	}
}

// WithMaxNonces sets how many nonces in use are remembered, with the requests that
// came under each; 65,536 by default, 1 to 4,194,304. Each takes some 150
// bytes. Where one more comes in use, the first that was becomes stale: that
// costs its client a round trip, and never lets a request pass twice.
func WithMaxNonces(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > mostNonces {
			return fmt.Errorf("%d nonces: must be 1 to %d", n, mostNonces)
		}
		s.maxNonces = n
		return nil
	}
}

// WithClock sets where the time comes from, for tests; [time.Now] by default. It
// must be safe for concurrent use.
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { return option.Set(&s.clock, now, "clock is nil") }
}
