// Package cache caches results that are expensive to compute.
//
// It is bounded, reads take no lock, and it may forget anything at any time. So it
// suits verified credentials, but not what must be remembered, such as identifiers
// that may be used only once.
package cache

import (
	"sync/atomic"
	"time"
)

// ways is the number of entries in a set: a new one replaces one of these.
const ways = 4

// Key is a cryptographic hash of what the entry is for. The hash must be keyed
// with a secret, or of a secret, where clients choose what goes in: otherwise
// they could fill one set on purpose.
type Key = [32]byte

// Cache maps keys to values until they expire. It is safe for concurrent use.
type Cache[V any] struct {
	sets []set[V]
	mask uint64
	held atomic.Int64 // how many entries there are
}

type set[V any] [ways]atomic.Pointer[entry[V]]

type entry[V any] struct {
	key     Key
	value   V
	expires time.Time
}

// New returns a cache for at least size entries, rounded up to a power of two; at
// least 4. An empty one takes 8 bytes per entry.
func New[V any](size int) *Cache[V] {
	sets := 1
	for sets*ways < size {
		sets *= 2
	}
	return &Cache[V]{sets: make([]set[V], sets), mask: uint64(sets - 1)}
}

// Get returns the value kept for key, unless it has expired at now.
func (c *Cache[V]) Get(key Key, now time.Time) (V, bool) {
	if v, expires, ok := c.Peek(key); ok && now.Before(expires) {
		return v, true
	}
	var none V
	return none, false
}

// Peek returns the value for key and when it expires, which the caller has to
// check: it may have expired already.
func (c *Cache[V]) Peek(key Key) (value V, expires time.Time, ok bool) {
	s := c.set(key)
	for i := range s {
		if e := s[i].Load(); e != nil && e.key == key {
			return e.value, e.expires, true
		}
	}
	return value, expires, false
}

// Put stores value for key until expires. It replaces the key's own entry, or an
// empty or expired one, or the one that expires first.
func (c *Cache[V]) Put(key Key, value V, expires, now time.Time) {
	if !now.Before(expires) {
		return
	}
	s := c.set(key)
	victim := 0
	var soonest time.Time
	for i := range s {
		e := s[i].Load()
		if e == nil || e.key == key || !now.Before(e.expires) {
			victim = i
			break
		}
		if i == 0 || e.expires.Before(soonest) {
			victim, soonest = i, e.expires
		}
	}
	if s[victim].Swap(&entry[V]{key, value, expires}) == nil {
		c.held.Add(1)
	}
	for i := range s { // the key's older entry may stand further on
		if i != victim {
			c.remove(&s[i], key)
		}
	}
}

// Len returns the number of entries, including expired ones.
func (c *Cache[V]) Len() int { return int(c.held.Load()) }

// remove clears a slot if it holds key's entry.
func (c *Cache[V]) remove(from *atomic.Pointer[entry[V]], key Key) {
	if e := from.Load(); e != nil && e.key == key && from.CompareAndSwap(e, nil) {
		c.held.Add(-1)
	}
}

// Clear forgets everything that was stored before the call.
func (c *Cache[V]) Clear() {
	for i := range c.sets {
		for j := range c.sets[i] {
			if c.sets[i][j].Swap(nil) != nil {
				c.held.Add(-1)
			}
		}
	}
}

// set returns the set of key, selected by bits that are practically random.
func (c *Cache[V]) set(key Key) *set[V] {
	h := uint64(key[0]) | uint64(key[1])<<8 | uint64(key[2])<<16 | uint64(key[3])<<24 |
		uint64(key[4])<<32 | uint64(key[5])<<40 | uint64(key[6])<<48 | uint64(key[7])<<56
	return &c.sets[h&c.mask]
}
