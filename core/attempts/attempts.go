// Package attempts limits guessing with a [core.AttemptLimiter] that bounds how
// often authentication may fail, for each client address and for each account.
//
// An address that has used up its budget is refused with 429 whatever it sends,
// before any password is hashed. An account that has used up its budget, over all
// addresses, refuses only addresses that have recently failed on it: another
// address gets one attempt, and one from which the account was recently used with
// success is not subject to the account's budget at all. So nobody can lock the
// owner of an account out from elsewhere. Accounts are treated the same whether
// they exist or not.
//
// An IPv6 address counts as its /64. A subscriber often has a whole /48, so each
// /48 has a budget too, and one attempt for an account that is over its budget.
//
// # Concurrent attempts
//
// An attempt is reserved before anything is verified and settled afterwards: as a
// failure, or as if it had not happened. So parallel guesses cannot exceed the
// budget, however long a verifier takes. An attempt that finds the rest of its
// budget reserved is not refused at once: a guard asks again for a few seconds,
// since those under way may succeed. Of many right passwords sent at once, as many
// are served at a time as the burst of the budget.
//
// # What counts
//
// A [core.CredentialError] counts, whatever its reason, since a scheme may have
// reasons of its own: [core.ReasonWrongSecret], [core.ReasonUnknownPrincipal],
// [core.ReasonMalformed], [core.ReasonBadSignature], [core.ReasonUnknownKey] and
// all others except these, which mean genuine credentials in the wrong place or at
// the wrong time, or credentials that were not checked:
//
//   - [core.ReasonExpired], [core.ReasonNotYetValid], [core.ReasonRevoked]
//   - [core.ReasonStale], [core.ReasonReplayed]
//   - [core.ReasonWrongIssuer], [core.ReasonWrongAudience], [core.ReasonBadClaim]
//   - [core.ReasonAccountState], [core.ReasonWeakAuthentication]
//   - "plain_http" of Basic, "foreign_nonce" and "wrong_realm" of Digest
//   - "unknown_sign_in" and "sign_in_refused" of OpenID: any page can lead a browser
//     to the first
//
// and those that [WithIgnoredReasons] adds. No other error counts: outages, faults,
// ambiguous credentials, the absence of credentials.
//
// # Limits of the limit
//
// Memory is bounded ([WithMaxEntries]); when it is full, the least recently used
// entry is forgotten. An attacker with many addresses can guess from each of them,
// and can make the limiter forget failures by causing as many others as there are
// entries. Each process has its own state unless they share one by [WithStore]:
// with n processes behind a load balancer budgets are up to n times as large.
// Passwords still have to withstand some thousand guesses a day.
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
	"unicode"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/errtype"
	"github.com/sallyport-go/sallyport/core/option"
	"github.com/sallyport-go/sallyport/core/proxy"
)

// Limiter is a [core.AttemptLimiter]. It is created by [New] and safe for
// concurrent use.
type Limiter struct {
	maxWait  time.Duration
	knownFor time.Duration
	capacity int
	now      func() time.Time
	proxies  *proxy.Trust
	innocent []core.Reason
	secret   []byte // of a store
	ofStore  storeSettings

	// hashes are keyed with a secret of this limiter. Account names are kept only
	// as such hashes: people type passwords in place of their names, and those must
	// not stay in memory.
	hashes    sync.Pool
	addresses counter[netip.Prefix]
	networks  counter[netip.Prefix] // of IPv6
	accounts  counter[accountKey]
	tried     *table[pair, try]       // failures of a network for an account
	known     *table[pair, time.Time] // last success of an address for an account

	shared *shared // nil without a store
	asked  outcomes
}

var _ core.AttemptLimiter = (*Limiter)(nil)

// accountKey is a keyed hash of an account's name.
type accountKey [16]byte

// pair is an address, or a network, together with an account.
type pair struct {
	account accountKey
	client  netip.Prefix
}

// try is what is known about a pair without a success.
type try struct {
	at time.Time
	// open reports that the attempt made at that time has not ended yet.
	open bool
}

// New returns a limiter. By default an address may fail 20 times at once and 10
// times a minute after that, an IPv6 network 100 times and 50 times a minute, an
// account 20 times and once a minute; nobody waits longer than 15 minutes, a
// success is remembered for 24 hours, and up to 65,536 addresses, networks,
// accounts and pairs are kept each. Peers are assumed to be the clients themselves;
// see [WithTrustedProxies].
func New(opts ...Option) (*Limiter, error) {
	l := &Limiter{
		maxWait:  15 * time.Minute,
		knownFor: 24 * time.Hour,
		capacity: 1 << 16,
		now:      time.Now,
		innocent: innocent(),
	}
	l.addresses.budget = budget{failures: 10, per: time.Minute, burst: 20}
	l.networks.budget = budget{failures: 50, per: time.Minute, burst: 100}
	l.accounts.budget = budget{failures: 60, per: time.Hour, burst: 20}
	if err := option.Apply(l, opts); err != nil {
		return nil, fmt.Errorf("attempts: %w", err)
	}
	if err := l.finishStore(); err != nil {
		return nil, fmt.Errorf("attempts: %w", err)
	}
	if err := l.addresses.finish(l.maxWait, l.capacity); err != nil {
		return nil, fmt.Errorf("attempts: budget of an address: %w", err)
	}
	if err := l.networks.finish(l.maxWait, l.capacity); err != nil {
		return nil, fmt.Errorf("attempts: budget of a network: %w", err)
	}
	if err := l.accounts.finish(l.maxWait, l.capacity); err != nil {
		return nil, fmt.Errorf("attempts: budget of an account: %w", err)
	}
	secret := l.secret
	if l.shared == nil {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
	}
	// Times are those of the monotonic clock, even as numbers, so that setting the
	// clock or suspending the machine neither forgives nor adds failures.
	start, clock := l.now(), l.now
	l.now = func() time.Time { return start.Add(clock().Sub(start)) }
	l.hashes.New = func() any { return hmac.New(sha256.New, secret) }
	l.tried = newTable[pair, try](l.capacity)
	l.known = newTable[pair, time.Time](l.capacity)
	return l, nil
}

// Allow implements [core.AttemptLimiter]. Its error is a [core.LimitError] whose
// text names the address and how often it, or the account, has failed, but not the
// account.
//
// An allowed attempt is reserved: until [Limiter.Report] reports its result it
// counts as a failure, so that no more attempts are under way than may fail. If an
// attempt is refused only because of others under way, [core.LimitError.Pending] is
// set. A reservation that is never reported counts for one to two minutes.
func (l *Limiter) Allow(ctx context.Context, r core.Request, account string) error {
	part, err := l.allow(ctx, r, account)
	l.asked.note(part, err)
	return err
}

// allow returns, with the error, the part whose budget refuses the attempt.
func (l *Limiter) allow(ctx context.Context, r core.Request, account string) (Part, error) {
	now, client := l.now(), l.client(r)
	s := l.addresses.reserve(client, now)
	if !s.ok() {
		return Address, s.refusal("address", client)
	}
	alone, network := s.alone, networkOf(client)
	if network.IsValid() {
		if s = l.networks.reserve(network, now); !s.ok() {
			l.addresses.release(client, now)
			return Network, s.refusal("network", network)
		}
		alone = alone && s.alone
	}
	c := l.claimantOf(client, account)
	if c.named {
		s = l.accounts.reserveBeyond(c.account, now)
		alone = alone && s.alone
	}
	part, err := Account, error(nil)
	if l.shared != nil {
		part, err = l.allowShared(ctx, c, s, alone, now)
	} else {
		err = l.allowAccount(c, s, now)
	}
	if err != nil {
		l.addresses.release(client, now)
		if network.IsValid() {
			l.networks.release(network, now)
		}
	}
	return part, err
}

// allowAccount decides on s, the reservation for an account if one is named and one that
// is ok if not, and releases it if it refuses. A used-up budget stops neither a client that
// the account is known from nor the first attempt of a network.
func (l *Limiter) allowAccount(c claimant, s reservation, now time.Time) error {
	if s.ok() || l.isKnown(c.pair, now) {
		return nil
	}
	again := l.claim(pair{c.account, triedAs(c.client)}, now)
	if again == 0 {
		return nil
	}
	l.accounts.release(c.account, now)
	return s.accountRefusal(c.client, min(s.wait, again))
}

// Report implements [core.AttemptLimiter]. A success does not forgive the address's
// failures: otherwise an attacker with an account could guess at others without
// limit.
func (l *Limiter) Report(ctx context.Context, r core.Request, account string, err error) {
	counts, now, client := l.counts(err), l.now(), l.client(r)
	c, renewed := l.claimantOf(client, account), false
	// A failure is charged before the reservation ends, so that an attempt that
	// begins in between sees one or the other.
	if c.named {
		renewed = l.reportAccount(c.account, client, now, counts, err == nil)
	}
	if network := networkOf(client); network.IsValid() {
		l.networks.settle(network, now, counts)
	}
	l.addresses.settle(client, now, counts)
	if counts {
		l.asked.failed.Add()
	}
	if l.shared != nil {
		l.reportShared(ctx, c, now, Outcome{Failed: counts, Succeeded: err == nil}, renewed)
	}
}

// reportAccount records the result for the account, and reports whether a success
// is news for a store.
func (l *Limiter) reportAccount(account accountKey, client netip.Prefix, now time.Time, failed, succeeded bool) (renewed bool) {
	known, tried := pair{account, client}, pair{account, triedAs(client)}
	switch {
	case failed:
		l.tried.update(tried, func(try, bool) (try, bool) { return try{at: now}, true })
	case succeeded:
		l.known.update(known, func(at time.Time, ok bool) (time.Time, bool) {
			if renewed = l.shared == nil || !ok || now.Sub(at) >= l.knownFor/knownAgain; renewed {
				at = now
			}
			return at, true
		})
		l.tried.update(tried, func(try, bool) (try, bool) { return try{}, false })
	default: // nothing was revealed, so a claimed attempt is returned
		l.tried.update(tried, func(t try, ok bool) (try, bool) { return t, ok && !t.open })
	}
	l.accounts.settle(account, now, failed)
	return renewed
}

// claim takes the one attempt that p has even though its account is over budget,
// and returns how long to wait for the next one if it has been taken.
func (l *Limiter) claim(p pair, now time.Time) (again time.Duration) {
	l.tried.update(p, func(t try, _ bool) (try, bool) {
		if again = max(l.maxWait-now.Sub(t.at), 0); again == 0 {
			t = try{at: now, open: true}
		}
		return t, true
	})
	return again
}

func (l *Limiter) isKnown(p pair, now time.Time) bool {
	at, ok := l.known.get(p)
	return ok && now.Sub(at) < l.knownFor
}

// client returns the prefix under which failures are counted: the nearest proven
// address, for IPv6 its /64, and the zero Prefix for peers without an address.
func (l *Limiter) client(r core.Request) netip.Prefix {
	addr, _ := l.proxies.Client(r) // on an error the address is a proxy's, which is right for counting
	return proxy.Group(addr)
}

// networkBits is the length of the prefix that a site is commonly assigned (RFC
// 6177 §2).
const networkBits = 48

// networkOf returns the network of an IPv6 client, and the zero Prefix for IPv4.
func networkOf(client netip.Prefix) netip.Prefix {
	if !client.Addr().Is6() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(client.Addr(), networkBits).Masked()
}

// triedAs returns the prefix under which failures of client for an account are
// kept: a /48 has 65,536 client addresses, each of which would otherwise have a
// first attempt.
func triedAs(client netip.Prefix) netip.Prefix {
	if network := networkOf(client); network.IsValid() {
		return network
	}
	return client
}

// keyOf hashes an account's name, ignoring letter case and surrounding space, so
// that other spellings get no extra guesses at a user store that ignores them, as
// databases do.
func (l *Limiter) keyOf(account string) accountKey {
	h := l.hashes.Get().(hash.Hash)
	defer l.hashes.Put(h)
	h.Reset()
	_, _ = h.Write([]byte(strings.Map(folded, strings.TrimSpace(account)))) // a hash takes everything
	var sum [sha256.Size]byte
	return accountKey(h.Sum(sum[:0])[:16])
}

// folded returns the same character for all that differ in letter case only. Lower
// case alone does not: "S" is also the upper case of "ſ", and "Σ" that of "ς".
func folded(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// counts reports whether err, an authenticator's, means a guess.
func (l *Limiter) counts(err error) bool {
	if err == nil {
		return false
	}
	if errors.Is(err, core.ErrAmbiguousCredentials) || errtype.In[*core.UnavailableError](err) || errtype.In[*core.InternalError](err) {
		return false
	}
	bad, ok := errtype.As[*core.CredentialError](err)
	return ok && !slices.Contains(l.innocent, bad.Reason)
}

// refusal returns the error for a reservation that was not made.
func (s *reservation) refusal(what string, client netip.Prefix) error {
	if s.pending {
		return pending("%s %v", what, name(client))
	}
	return limited(s.wait, "%s %v has failed %d times", what, name(client), s.failed)
}

// accountRefusal returns the error for an account that refuses client for wait.
func (s *reservation) accountRefusal(client netip.Prefix, wait time.Duration) error {
	if s.pending {
		return pending("an account that address %v has failed for", name(client))
	}
	return limited(wait, "an account that address %v has failed for has failed %d times", name(client), s.failed)
}

func pending(whose string, args ...any) error {
	return &core.LimitError{RetryAfter: time.Second, Pending: true,
		Err: fmt.Errorf("all remaining attempts are in progress for "+whose, args...)}
}

func limited(wait time.Duration, format string, args ...any) error {
	return &core.LimitError{RetryAfter: wait, Err: fmt.Errorf(format, args...)}
}

// name returns client as written in events.
func name(client netip.Prefix) string {
	switch {
	case !client.IsValid():
		return "unknown"
	case client.IsSingleIP():
		return client.Addr().String()
	}
	return client.String()
}
