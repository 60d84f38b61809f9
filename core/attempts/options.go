package attempts

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Option configures a [Limiter].
type Option func(*Limiter) error

// WithAddressBudget sets how often an address may fail: burst times at once, and
// failures times in each per after that; 10 in a minute and a burst of 20 by
// default. IPv6 addresses are counted by their /64, and by their /48 as well
// ([WithNetworkBudget]). A whole company may share an address; a burst below 10
// will get in its way every morning. At most burst attempts of an address are
// verified at the same time. burst is 1 to 65,535; no budget forgives more than one
// failure per millisecond.
func WithAddressBudget(failures int, per time.Duration, burst int) Option {
	return func(l *Limiter) error {
		l.addresses.budget = budget{failures: failures, per: per, burst: burst}
		return nil
	}
}

// WithNetworkBudget sets how often an IPv6 /48 may fail, over all accounts and all
// its /64: burst times at once, and failures times in each per after that; 50 in a
// minute and a burst of 100 by default. A single subscriber often has such a
// network, while a mobile provider may have many subscribers in one.
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

// WithMaxWait sets the maximum time that a client is told to wait; 15 minutes by
// default, 1 s to 24 h. It is also how long an address that failed on an account
// over its budget waits for its next attempt, and so bounds how many guesses each
// further address is worth. Each budget must forgive a failure in that time.
func WithMaxWait(d time.Duration) Option {
	return func(l *Limiter) error {
		return option.SetUnless(&l.maxWait, d, d < time.Second || d > 24*time.Hour, "max wait %v: must be from 1s to 24h", d)
	}
}

// WithKnownAddressLifetime sets how long after a success an address is exempt from
// the account's budget; 24 hours by default, at least 1 s.
func WithKnownAddressLifetime(d time.Duration) Option {
	return func(l *Limiter) error {
		return option.SetUnless(&l.knownFor, d, d < time.Second, "known address lifetime %v: must be at least 1s", d)
	}
}

// WithMaxEntries sets how many addresses, networks, accounts and pairs of them,
// with failures and with successes, are remembered; 65,536 of each by default,
// which takes some 90 MiB when all are in use. n must be 1,024 to 16,777,216.
func WithMaxEntries(n int) Option {
	return func(l *Limiter) error {
		return option.SetUnless(&l.capacity, n, n < 1<<10 || n > 1<<24, "max entries %d: must be 1024 to 16777216", n)
	}
}

// WithTrustedProxies finds the address of clients behind trusted proxies. Without
// it all clients behind a proxy share one budget, so that any of them can get the
// others refused.
func WithTrustedProxies(t *proxy.Trust) Option {
	return func(l *Limiter) error { return option.Set(&l.proxies, t, "trusted proxies are nil") }
}

// WithIgnoredReasons adds reasons that do not count as guesses.
func WithIgnoredReasons(reasons ...core.Reason) Option {
	return func(l *Limiter) error {
		l.innocent = append(l.innocent, reasons...)
		return nil
	}
}

// WithStore makes the instances of a service count together. key, at least 32
// random bytes that they share, keys the hashes under which addresses and accounts
// are stored.
//
// The store is asked only about keys that have failed recently, or that have more
// attempts under way here than [WithUnsharedAttempts] allows. Other attempts do not
// wait for it: their failures are charged afterwards. So all instances together let
// a key fail as often as its budget allows, plus once for each instance (as often
// as [WithUnsharedAttempts] says) in the time that it takes to forgive a whole
// budget and [WithMaxWait].
//
// While the store is unavailable, each instance counts by itself with a budget of
// its own, as without a store: the failures that it has seen still count, and an
// outage lets nobody through. See [WithStoreObserver].
func WithStore(s Store, key []byte) Option {
	return func(l *Limiter) error {
		switch {
		case isnil.Value(s):
			return errors.New("store is nil")
		case l.shared != nil:
			return errors.New("two stores")
		case len(key) < 32:
			return fmt.Errorf("store key of %d bytes: must have at least 32 random bytes, the same for all instances", len(key))
		}
		l.secret = deriveSecret(key)
		l.shared = &shared{store: s, held: heldThere{seed: maphash.MakeSeed()}, later: make(chan struct{}, maxLater)}
		return nil
	}
}

// WithUnsharedAttempts sets how many attempts of a key without known failures an
// instance verifies at the same time without asking the store; 1 by default, 0 to
// 65,535. A larger number means fewer calls for many concurrent valid credentials
// from one address, such as a gateway's, but lets that many guesses more through
// each instance. With 0 the store is asked about each attempt and the budget is
// exact.
func WithUnsharedAttempts(n int) Option {
	return func(l *Limiter) error {
		return option.SetUnless(&l.ofStore.unshared, &n, n < 0 || n > maxHeld, "%d unshared attempts: must be 0 to %d", n, maxHeld)
	}
}

// WithTimeout bounds one call to the store; 250 ms by default, 1 ms to 5 s.
func WithTimeout(d time.Duration) Option {
	return func(l *Limiter) error {
		return option.SetUnless(&l.ofStore.timeout, d, d < time.Millisecond || d > 5*time.Second, "timeout %v: must be from 1ms to 5s", d)
	}
}

// WithStoreObserver calls f with the error when the store begins to fail, and with
// nil when it works again. In between this instance counts by itself. f must be
// fast and safe for concurrent use.
func WithStoreObserver(f func(err error)) Option {
	return func(l *Limiter) error { return option.Set(&l.ofStore.told, f, "store observer is nil") }
}

// storeSettings holds what options set for a store.
type storeSettings struct {
	unshared *int
	timeout  time.Duration
	told     func(error)
	clock    bool
}

// finishStore completes the store, if there is one.
func (l *Limiter) finishStore() error {
	set := l.ofStore
	if l.shared == nil {
		if set.unshared != nil || set.timeout != 0 || set.told != nil {
			return errors.New("an option requires a store: add WithStore")
		}
		return nil
	}
	unshared := 1
	if set.unshared != nil {
		unshared = *set.unshared
	}
	l.addresses.unshared, l.networks.unshared, l.accounts.unshared = unshared, unshared, unshared
	l.shared.calls.Timeout, l.shared.calls.Told = cmp.Or(set.timeout, defaultTimeout), set.told
	l.shared.clock = set.clock
	return nil
}

// WithClock sets the clock, for tests; time.Now by default. With [WithStore] the
// store uses it too, and it must be the same for all instances.
func WithClock(now func() time.Time) Option {
	return func(l *Limiter) error {
		if now == nil {
			return errors.New("clock is nil")
		}
		l.now, l.ofStore.clock = now, true
		return nil
	}
}

// innocent returns the reasons that do not count as guesses; the package comment
// lists them.
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
