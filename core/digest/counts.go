package digest

import (
	"sync"
	"time"
)

// window is how far behind the highest count of a nonce a request can be and still
// be told from a replay.
const window = 256

// usability says whether a nonce may be used with a count.
type usability uint8

const (
	usable usability = iota
	stale            // expired, or it is unknown whether the count was used
	replayed
)

// counts remembers which counts were used with which nonce (RFC 7616 §3.4). It
// is safe for concurrent use and bounded in memory.
//
// It holds only nonces for which there was a right response. floor is the issue
// time up to which nonces may have been forgotten: those are stale, so that
// forgetting one never lets a request pass twice.
type counts struct {
	max      int
	lifetime int64 // in nanoseconds, as all times

	mu          sync.Mutex
	newest      int64 // issue time of the newest nonce
	floor       int64
	used        map[nonceID]*usage
	first, last *usage // in order of first use
}

// usage records which counts of a nonce were used: bit n % window of seen is for
// count n, if it is above highest-window.
type usage struct {
	id      nonceID
	next    *usage
	highest uint32
	seen    [window / 64]uint64
}

func newCounts(maxNonces int, lifetime time.Duration, start int64) *counts {
	return &counts{
		max:      maxNonces,
		lifetime: int64(lifetime),
		newest:   start - 1,
		floor:    start - 1, // counts used before the start are unknown
		used:     map[nonceID]*usage{},
	}
}

// issue returns the issue time of a new nonce: later than that of any earlier one
// and above the floor, so that it is usable.
func (c *counts) issue(now int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = max(now, c.newest+1, c.floor+1)
	return c.newest
}

// use marks a count of a nonce as used, once.
func (c *counts) use(id nonceID, count uint32, now int64) usability {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.first != nil && c.expired(&c.first.id, now) {
		c.dropFirst()
	}
	// Clocks of instances with one key may differ, so that a nonce may come
	// from the future.
	if c.expired(&id, now) || id.issued() > now+c.lifetime {
		return stale
	}
	u := c.used[id]
	if u == nil {
		if id.issued() <= c.floor {
			return stale
		}
		if len(c.used) >= c.max {
			c.dropFirst()
		}
		u = c.add(id)
	}
	return u.use(count)
}

func (c *counts) expired(id *nonceID, now int64) bool { return id.issued() < now-c.lifetime }

func (c *counts) add(id nonceID) *usage {
	u := &usage{id: id}
	c.used[id] = u
	if c.first == nil {
		c.first = u
	} else {
		c.last.next = u
	}
	c.last = u
	return u
}

// dropFirst forgets the nonce that was first used.
func (c *counts) dropFirst() {
	u := c.first
	c.first = u.next
	delete(c.used, u.id)
	c.floor = max(c.floor, u.id.issued())
}

func (u *usage) use(count uint32) usability {
	if count > u.highest {
		u.advance(count)
	} else if u.highest-count >= window {
		return stale
	}
	word, bit := &u.seen[count%window/64], uint64(1)<<(count%64)
	if *word&bit != 0 {
		return replayed
	}
	*word |= bit
	return usable
}

// advance makes count the highest; those in between are unused.
func (u *usage) advance(count uint32) {
	if count-u.highest >= window {
		u.seen = [window / 64]uint64{}
	} else {
		for n := u.highest + 1; n != count+1; n++ {
			u.seen[n%window/64] &^= 1 << (n % 64)
		}
	}
	u.highest = count
}
