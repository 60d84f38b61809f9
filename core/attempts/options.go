package attempts

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Option configures a [Limiter].
type Option func(*Limiter) error

// WithAddressBudget sets how often an address may fail: burst times at once, and
// failures times in each per after that; 10 in a minute and a burst of 20 by
// default. IPv6 addresses are counted by their /64, and by their /48 as well
// ([WithNetworkBudget]). Behind an address may be a company; a burst below 10
// makes its mornings hard. No more attempts of an address than burst are verified
// at the same time. burst is 1 to 65,535.
func WithAddressBudget(failures int, per time.Duration, burst int) Option {
	return func(l *Limiter) error {
		l.addresses.budget = budget{failures: failures, per: per, burst: burst}
		return nil
	}
}

// WithNetworkBudget sets how often an IPv6 /48 may fail, over all accounts and
// all its /64: burst times at once, and failures times in each per after that;
// 50 in a minute and a burst of 100 by default. One subscriber of a provider
// often has such a network, and a mobile network may have many subscribers in
// one.
func WithNetworkBudget(failures int, per time.Duration, burst int) Option {
	return func(l *Limiter) error {
		l.networks.budget = budget{failures: failures, per: per, burst: burst}
		return nil
	}
}

// WithAccountBudget sets how often authentication for one account may fail, over all
// addresses: burst times at once, and failures times in each per after that;
// 60 in an hour and a burst of 20 by default. burst is 1 to 65,535.
func WithAccountBudget(failures int, per time.Duration, burst int) Option {
	return func(l *Limiter) error {
		l.accounts.budget = budget{failures: failures, per: per, burst: burst}
		return nil
	}
}

// WithMaxWait sets the longest time that anyone is told to wait; 15 minutes by
// default, 1 s to 24 h. It is also how long an address that failed for an
// account over its budget waits for its next attempt, and so bounds how many
// guesses each further address is worth. Each budget must forgive a failure in
// that time.
func WithMaxWait(d time.Duration) Option {
	return func(l *Limiter) error {
		if d < time.Second || d > 24*time.Hour {
			return fmt.Errorf("max wait %v: must be from 1s to 24h", d)
		}
		l.maxWait = d
		return nil
	}
}

// WithKnownAddressLifetime sets how long after a success an address is not held to the budget
// of the account; 24 hours by default, at least 1 s.
func WithKnownAddressLifetime(d time.Duration) Option {
	return func(l *Limiter) error {
		if d < time.Second {
			return fmt.Errorf("known address lifetime %v: must be at least 1s", d)
		}
		l.knownFor = d
		return nil
	}
}

// WithMaxEntries sets how many addresses, networks, accounts and pairs of them, with
// failures and with success, are remembered; 65,536 of each by default, which
// takes some 90 MiB when all are in use. It may be 1,024 to
// 16,777,216.
func WithMaxEntries(n int) Option {
	return func(l *Limiter) error {
		if n < 1<<10 || n > 1<<24 {
			return fmt.Errorf("max entries %d: must be 1024 to 16777216", n)
		}
		l.capacity = n
		return nil
	}
}

// WithTrustedProxies finds the address of clients behind trusted proxies. Without
// it all clients behind a proxy share one budget, so that any of them can have
// the others refused.
func WithTrustedProxies(t *proxy.Trust) Option {
	return func(l *Limiter) error {
		if t == nil {
			return errors.New("trusted proxies are nil")
		}
		l.proxies = t
		return nil
	}
}

// WithIgnoredReasons adds reasons that tell of no guess.
func WithIgnoredReasons(reasons ...core.Reason) Option {
	return func(l *Limiter) error {
		l.innocent = append(l.innocent, reasons...)
		return nil
	}
}

// WithClock sets the clock; time.Now by default.
func WithClock(now func() time.Time) Option {
	return func(l *Limiter) error {
		if now == nil {
			return errors.New("clock is nil")
		}
		l.now = now
		return nil
	}
}

// innocent are the reasons that tell of no guess, as the package's doc lists
// them.
func innocent() []core.Reason {
	return []core.Reason{
		core.ReasonExpired, core.ReasonNotYetValid, core.ReasonRevoked,
		core.ReasonStale, core.ReasonReplayed,
		core.ReasonWrongIssuer, core.ReasonWrongAudience, core.ReasonBadClaim,
		core.ReasonAccountState, core.ReasonWeakAuthentication,
		basic.ReasonPlainHTTP, digest.ReasonForeignNonce, digest.ReasonWrongRealm,
		"unknown_sign_in", "sign_in_refused", // of package openid, in a module of its own
	}
}
