package htpasswd

import (
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport-go/sallyport/core/option"
)

const (
	defaultMemory = 256 << 20
	minMemory     = 47104 << 10 // the maximum that a setting at the lower bound needs
	maxMemory     = 64 << 30
	maxTurns      = 4096
)

// Option configures a [File].
type Option func(*config) error

// config holds what the options set.
type config struct {
	limits      limits
	concurrency int
	maxWait     time.Duration
}

// WithMinCost sets the lowest bcrypt cost that a hash in the file may have; 10 by
// default, 4 to 16. Lower it only for tests: each step halves the work of an
// attacker. It does not affect argon2id.
func WithMinCost(cost int) Option {
	return func(c *config) error {
		return option.SetUnless(&c.limits.minCost, cost, cost < bcrypt.MinCost || cost > maxCost,
			"minimum cost %d: must be %d to %d", cost, bcrypt.MinCost, maxCost)
	}
}

// WithConcurrency sets how many passwords are checked at a time; GOMAXPROCS by
// default, 1 to 4096. More than that only slow each other down.
func WithConcurrency(n int) Option {
	return func(c *config) error {
		return option.SetUnless(&c.concurrency, n, n < 1 || n > maxTurns, "concurrency %d: must be 1 to %d", n, maxTurns)
	}
}

// WithMaxMemory sets how many bytes of memory argon2id may use for all passwords
// that are checked at a time; 256 MiB by default, 46 MiB to 64 GiB. If they would
// need more, fewer are checked at a time; a hash that needs more by itself is
// refused when the file is read. Memory of finished hashes is freed only at the
// next garbage collection.
func WithMaxMemory(bytes int64) Option {
	return func(c *config) error {
		return option.SetUnless(&c.limits.memory, uint64(bytes), bytes < minMemory || bytes > maxMemory,
			"max memory %d: must be %d to %d", bytes, minMemory, int64(maxMemory))
	}
}

// WithMaxWait sets how long a verification waits for a slot; 1 s by default. 0
// means not at all.
func WithMaxWait(d time.Duration) Option {
	return func(c *config) error {
		return option.SetUnless(&c.maxWait, d, d < 0, "max wait %v: must not be negative", d)
	}
}
