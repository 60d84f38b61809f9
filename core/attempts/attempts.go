// Package attempts bounds guessing: it is a [core.AttemptLimiter] that limits
// how often authentication may fail, for each client address and for each
// account.
//
// An address that has used up its budget is refused with 429 whatever it
// sends, before any password is hashed. An account that has used up its own,
// over all addresses, refuses those who have failed on it lately, and nobody
// else: an address that has not gets an attempt, and one from which the
// account was used with success lately is not held to the account's budget at
// all. So nobody can lock the owner of an account out from elsewhere. Accounts
// are treated alike whether they exist or not.
//
// # What counts
//
// A [core.CredentialError] counts, whatever its reason, since a scheme may
// have reasons of its own: [core.ReasonWrongSecret],
// [core.ReasonUnknownPrincipal], [core.ReasonMalformed],
// [core.ReasonBadSignature], [core.ReasonUnknownKey] and all others but these,
// which tell of good credentials in the wrong place or at the wrong time, or
// of credentials that nobody looked at:
//
//   - [core.ReasonExpired], [core.ReasonNotYetValid], [core.ReasonRevoked]
//   - [core.ReasonStale], [core.ReasonReplayed]
//   - [core.ReasonWrongIssuer], [core.ReasonWrongAudience], [core.ReasonBadClaim]
//   - [core.ReasonAccountState], [core.ReasonWeakAuthentication]
//   - "plain_http" of Basic, "foreign_nonce" and "wrong_realm" of Digest
//
// and those that [NotCounting] adds. No other error counts: outages, faults,
// ambiguous credentials, the absence of credentials.
//
// # Limits of the limit
//
// Memory is bounded ([Capacity]); when it is full the least recently used
// entry is forgotten. Who has many addresses can guess from each of them, and
// can have failures forgotten by making as many others as there are entries.
// The state belongs to one process: with n of them behind a load balancer
// budgets are up to n times as large. Passwords that withstand some thousand
// guesses a day are still needed.
package attempts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Limiter is a [core.AttemptLimiter]. It is made by [New] and safe for
// concurrent use.
type Limiter struct {
	address, account budget
	maxWait          time.Duration
	knownFor         time.Duration
	capacity         int
	now              func() time.Time
	proxies          *proxy.Trust
	innocent         []core.Reason

	// hashes are keyed with a secret of this limiter, and all that is kept of
	// account names: people type passwords where their names belong, and those
	// must not stay in memory.
	hashes    sync.Pool
	addresses *table[netip.Prefix, bucket]
	accounts  *table[accountKey, bucket]
	tried     *table[pair, try]       // failures of an address for an account
	known     *table[pair, time.Time] // last success of an address for an account
}

var _ core.AttemptLimiter = (*Limiter)(nil)

// accountKey is a keyed hash of an account's name.
type accountKey [16]byte

// pair is an address that claims an account.
type pair struct {
	account accountKey
	client  netip.Prefix
}

// try is what is known of a pair that has no success.
type try struct {
	at time.Time
	// open says that the attempt made at that time has not ended yet.
	open bool
}

// New makes a limiter. By default an address may fail 20 times at once and 10
// times a minute after that, an account 20 times and once a minute; nobody
// waits longer than 15 minutes, a success is remembered for 24 hours, and
// 65,536 addresses, accounts and pairs of them are held each. Peers are taken
// for the clients themselves; see [BehindProxies].
func New(opts ...Option) (*Limiter, error) {
	l := &Limiter{
		address:  budget{failures: 10, per: time.Minute, burst: 20},
		account:  budget{failures: 60, per: time.Hour, burst: 20},
		maxWait:  15 * time.Minute,
		knownFor: 24 * time.Hour,
		capacity: 1 << 16,
		now:      time.Now,
		innocent: innocent(),
	}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("attempts: option %d is nil", i+1)
		}
		if err := opt(l); err != nil {
			return nil, fmt.Errorf("attempts: %w", err)
		}
	}
	if err := l.address.settle(l.maxWait); err != nil {
		return nil, fmt.Errorf("attempts: budget of an address: %w", err)
	}
	if err := l.account.settle(l.maxWait); err != nil {
		return nil, fmt.Errorf("attempts: budget of an account: %w", err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	l.hashes.New = func() any { return hmac.New(sha256.New, secret) }
	l.addresses = newTable[netip.Prefix, bucket](l.capacity)
	l.accounts = newTable[accountKey, bucket](l.capacity)
	l.tried = newTable[pair, try](l.capacity)
	l.known = newTable[pair, time.Time](l.capacity)
	return l, nil
}

// Allow implements [core.AttemptLimiter]. The error, where there is one, is a
// [core.LimitError] whose text names the address and how often it, or the
// account, has failed, and not the account.
//
// Attempts that are under way have not failed yet, so a burst of them in
// parallel may pass together. Each is charged when it fails, into debt if need
// be: guessing in parallel is no faster in the long run.
func (l *Limiter) Allow(_ context.Context, r core.Request, account string) error {
	now, client := l.now(), l.client(r)
	if b, ok := l.addresses.get(client); ok {
		if wait := b.wait(now); wait > 0 {
			return limited(wait, "address %v has failed %d times", name(client), b.failed)
		}
	}
	if account == "" {
		return nil
	}
	key := l.keyOf(account)
	b, ok := l.accounts.get(key)
	if !ok {
		return nil
	}
	wait := b.wait(now)
	if wait == 0 || l.isKnown(pair{key, client}, now) {
		return nil
	}
	if again := l.claim(pair{key, client}, now); again > 0 {
		return limited(min(wait, again), "an account that address %v has failed for has failed %d times", name(client), b.failed)
	}
	return nil
}

// Report implements [core.AttemptLimiter]. A success takes back none of the
// address's failures: otherwise an account of one's own would be worth
// endless guesses at others'.
func (l *Limiter) Report(_ context.Context, r core.Request, account string, err error) {
	counts := l.counts(err)
	if !counts && account == "" {
		return
	}
	now, client := l.now(), l.client(r)
	if counts {
		l.addresses.update(client, func(b bucket, _ bool) (bucket, bool) { return l.address.charge(b, now), true })
		if account == "" {
			return
		}
	}
	p := pair{l.keyOf(account), client}
	switch {
	case counts:
		l.accounts.update(p.account, func(b bucket, _ bool) (bucket, bool) { return l.account.charge(b, now), true })
		l.tried.update(p, func(try, bool) (try, bool) { return try{at: now}, true })
	case err == nil:
		l.known.update(p, func(time.Time, bool) (time.Time, bool) { return now, true })
		l.tried.update(p, func(try, bool) (try, bool) { return try{}, false })
	default: // nobody learned anything, so a claimed attempt is given back
		l.tried.update(p, func(t try, ok bool) (try, bool) { return t, ok && !t.open })
	}
}

// claim takes the one attempt that p has although its account is over its
// budget, and says how long to wait for the next if it has been taken.
func (l *Limiter) claim(p pair, now time.Time) (again time.Duration) {
	l.tried.update(p, func(t try, ok bool) (try, bool) {
		if ok {
			if again = l.maxWait - now.Sub(t.at); again > 0 {
				return t, true
			}
			again = 0
		}
		return try{at: now, open: true}, true
	})
	return again
}

func (l *Limiter) isKnown(p pair, now time.Time) bool {
	at, ok := l.known.get(p)
	return ok && now.Sub(at) < l.knownFor
}

// client is what failures are counted under: the nearest address that is
// proven, IPv6 by /64, and the zero Prefix for peers without an address.
func (l *Limiter) client(r core.Request) netip.Prefix {
	addr, _ := l.proxies.Client(r) // on an error the address is a proxy's, which is right for counting
	return proxy.Group(addr)
}

// keyOf hashes an account's name. Letter case does not tell accounts apart, so
// that a store which ignores it cannot be asked again in another spelling.
func (l *Limiter) keyOf(account string) accountKey {
	h := l.hashes.Get().(hash.Hash)
	defer l.hashes.Put(h)
	h.Reset()
	_, _ = h.Write([]byte(strings.ToLower(account))) // a hash takes everything
	var sum [sha256.Size]byte
	return accountKey(h.Sum(sum[:0])[:16])
}

// counts reports whether err, an authenticator's, tells of a guess.
func (l *Limiter) counts(err error) bool {
	var bad *core.CredentialError
	var down *core.UnavailableError
	var fault *core.InternalError
	if errors.Is(err, core.ErrAmbiguousCredentials) || errors.As(err, &down) || errors.As(err, &fault) || !errors.As(err, &bad) {
		return false
	}
	return !slices.Contains(l.innocent, bad.Reason)
}

func limited(wait time.Duration, format string, args ...any) error {
	return &core.LimitError{RetryAfter: wait, Err: fmt.Errorf(format, args...)}
}

// name is client as an event spells it.
func name(client netip.Prefix) string {
	switch {
	case !client.IsValid():
		return "unknown"
	case client.IsSingleIP():
		return client.Addr().String()
	}
	return client.String()
}
