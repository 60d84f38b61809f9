package attempts

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/maphash"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/sharedstore"
)

// shared holds a limiter's dealings with its store.
type shared struct {
	store Store
	calls sharedstore.Calls
	// clock reports that the limiter has a clock of its own, which the store does
	// not know.
	clock bool
	held  heldThere
	// later bounds the calls that nothing waits for.
	later chan struct{}
}

const (
	defaultTimeout = 250 * time.Millisecond
	maxLater       = 64
	// remindedFor bounds how long a known failure makes this instance ask the
	// store.
	remindedFor = 30 * 24 * time.Hour
	// knownAgain is the fraction (1/n) of a known address's lifetime after which
	// the store is told of a success again.
	knownAgain = 24
)

// claimant is the origin of an attempt; account is zero for none. Attempts of one
// claimant are interchangeable.
type claimant struct {
	pair
	named bool
}

// allowShared asks the store about an attempt that is reserved here, with s for its
// account if it names one. If no failures are known, and no more attempts are under
// way here than are allowed without the store, it is not asked: the failure of such
// an attempt is charged afterwards, so that each instance lets that many more pass
// than the budget, until it learns of a failure.
func (l *Limiter) allowShared(ctx context.Context, c claimant, s reservation, alone bool, now time.Time) (Part, error) {
	if alone {
		return 0, nil
	}
	answer, err := l.shared.reserve(ctx, l.attemptOf(c, now))
	if err != nil {
		return Account, l.allowAccount(c, s, now)
	}
	l.remind(c, answer.Failing, now)
	if answer.Refused == 0 {
		l.shared.held.add(c)
		return 0, nil
	}
	if answer.Refused == Account && l.isKnown(c.pair, now) {
		return 0, nil // a success that the store does not know yet
	}
	if c.named {
		l.accounts.release(c.account, now)
	}
	there := reservation{wait: answer.Wait, failed: answer.Failed, pending: answer.Pending}
	switch answer.Refused {
	case Account:
		return Account, there.accountRefusal(c.client, answer.Wait)
	case Network:
		return Network, there.refusal("network", networkOf(c.client))
	}
	return Address, there.refusal("address", c.client)
}

// reportShared tells the store the result of an attempt. It waits only after a
// failure. renewed reports that a success is news.
func (l *Limiter) reportShared(ctx context.Context, c claimant, now time.Time, o Outcome, renewed bool) {
	o.Reserved = l.shared.held.remove(c)
	switch {
	case o.Failed:
		l.remind(c, Address|Network|Account, now)
		l.shared.settle(ctx, l.attemptOf(c, now), o)
	case o.Reserved || renewed:
		l.shared.settleLater(ctx, l.attemptOf(c, now), o)
	}
}

// remind makes this instance ask the store about keys that have failed, for as long
// as it may take to forgive what others charge meanwhile.
func (l *Limiter) remind(c claimant, failing Part, now time.Time) {
	if failing&Address != 0 {
		l.addresses.remind(c.client, now)
	}
	if network := networkOf(c.client); failing&Network != 0 && network.IsValid() {
		l.networks.remind(network, now)
	}
	if failing&Account != 0 && c.named {
		l.accounts.remind(c.account, now)
	}
}

func (c *counter[K]) remind(key K, now time.Time) {
	c.held.slot(key).charged(now.Add(min(c.ahead, remindedFor)))
}

// attemptOf returns what to tell the store about an attempt.
func (l *Limiter) attemptOf(c claimant, now time.Time) Attempt {
	a := Attempt{KnownFor: l.knownFor, MaxWait: l.maxWait}
	if l.shared.clock {
		a.Now = now
	}
	add := func(part Part, name string, b budget) {
		a.Counters = append(a.Counters, Counter{part, l.shareKey(name, nil), b.burst, b.interval, b.ahead})
	}
	add(Address, "address "+name(c.client), l.addresses.budget)
	if network := networkOf(c.client); network.IsValid() {
		add(Network, "network "+name(network), l.networks.budget)
	}
	if c.named {
		a.Counters = append(a.Counters, Counter{Account, l.shareKey("account", c.account[:]), l.accounts.burst, l.accounts.interval, l.accounts.ahead})
		a.Known = l.shareKey("known "+name(c.client), c.account[:])
		a.Tried = l.shareKey("tried "+name(triedAs(c.client)), c.account[:])
	}
	return a
}

// shareKey returns the key of an entry in the store. kind has no NUL.
func (l *Limiter) shareKey(kind string, account []byte) string {
	h := l.hashes.Get().(hash.Hash)
	defer l.hashes.Put(h)
	h.Reset()
	_, _ = h.Write([]byte(kind + "\x00"))
	_, _ = h.Write(account)
	var sum [sha256.Size]byte
	return base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:16])
}

// deriveSecret derives the key for hashes from the one that instances share.
func deriveSecret(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte("sallyport attempts"))
	return h.Sum(nil)
}

func (s *shared) reserve(ctx context.Context, a Attempt) (answer Answer, err error) {
	err = s.calls.Do(ctx, func(ctx context.Context) (err error) {
		answer, err = s.store.Reserve(ctx, a)
		return err
	})
	return answer, err
}

// settle tells the store; a reservation that is not settled expires. A panic is a failure
// of the store.
func (s *shared) settle(ctx context.Context, a Attempt, o Outcome) {
	_ = s.calls.Do(ctx, func(ctx context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = &core.PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		return s.store.Settle(ctx, a, o)
	})
}

// settleLater tells the store while the request continues. If too many such calls
// are under way, a reservation is released at once, and a success is left for the
// next one to report.
func (s *shared) settleLater(ctx context.Context, a Attempt, o Outcome) {
	select {
	case s.later <- struct{}{}:
		go func() {
			defer func() { _, _ = <-s.later, recover() }() // from a panic of the store's observer
			s.settle(ctx, a, o)
		}()
	default:
		if o.Reserved {
			s.settle(ctx, a, o)
		}
	}
}

// heldThere counts the attempts of this instance that are reserved in the store.
type heldThere struct {
	seed   maphash.Seed
	n      atomic.Int64 // in all shards, so that no lock is needed if there are none
	shards [shards]struct {
		sync.Mutex
		of map[claimant]int
	}
}

// maxHeldThere bounds a shard, which code that forgets to report would fill.
// Reservations that do not fit are not released, and expire.
const maxHeldThere = 1 << 12

func (h *heldThere) shard(c claimant) int { return int(maphash.Comparable(h.seed, c) % shards) }

func (h *heldThere) add(c claimant) {
	s := &h.shards[h.shard(c)]
	s.Lock()
	defer s.Unlock()
	if s.of == nil {
		s.of = map[claimant]int{}
	}
	if n, there := s.of[c]; there || len(s.of) < maxHeldThere {
		s.of[c] = n + 1
		h.n.Add(1)
	}
}

// remove removes one attempt of c and reports whether there was one.
func (h *heldThere) remove(c claimant) bool {
	if h.n.Load() == 0 {
		return false
	}
	s := &h.shards[h.shard(c)]
	s.Lock()
	defer s.Unlock()
	n := s.of[c]
	switch n {
	case 0:
		return false
	case 1:
		delete(s.of, c)
	default:
		s.of[c] = n - 1
	}
	h.n.Add(-1)
	return true
}

func (l *Limiter) claimantOf(client netip.Prefix, account string) claimant {
	c := claimant{pair: pair{client: client}, named: account != ""}
	if c.named {
		c.account = l.keyOf(account)
	}
	return c
}
