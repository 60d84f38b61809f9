package attempts

import "time"

// counter enforces a budget of failures for keys of one kind, and counts the
// attempts that are under way. It takes a lock only for keys that have failed. It
// is safe for concurrent use.
type counter[K comparable] struct {
	budget
	unshared int // how many attempts may be under way without asking the store
	held     *reservations[K]
	buckets  *table[K, bucket]
}

func (c *counter[K]) finish(maxWait time.Duration, capacity int) error {
	c.held, c.buckets = newReservations[K](), newTable[K, bucket](capacity)
	return c.budget.finish(maxWait)
}

// reservation is the result of reserving an attempt.
type reservation struct {
	// wait is how long until the budget has a failure left; 0 if it has one.
	wait   time.Duration
	failed int // how often the key has failed
	// pending reports that the budget has failures left but as many attempts are
	// under way.
	pending bool
	// alone reports that no failures are known, and that no more attempts are under
	// way than are allowed without asking the store.
	alone bool
}

func (s *reservation) ok() bool { return s.wait == 0 && !s.pending }

// reserve makes a reservation for key within its budget. If there is no room, none
// is kept.
func (c *counter[K]) reserve(key K, now time.Time) reservation {
	slot := c.held.slot(key)
	n := slot.take(now, c.burst)
	s := c.compare(slot, key, n, now)
	if !s.ok() && n > 0 {
		slot.give(now)
	}
	return s
}

// reserveBeyond makes a reservation for key in any case, and reports whether the
// budget has room for it.
func (c *counter[K]) reserveBeyond(key K, now time.Time) reservation {
	slot := c.held.slot(key)
	return c.compare(slot, key, slot.take(now, maxHeld), now)
}

// compare compares the budget of key with n attempts under way, including the new
// one; 0 stands for more than can be counted.
func (c *counter[K]) compare(slot *slot, key K, n int, now time.Time) (s reservation) {
	left := c.burst
	if s.alone = n > 0 && n <= c.unshared; !slot.isClean(now) { // asked after the reservation was made: see settle
		b, _ := c.buckets.get(key)
		left, s.wait = c.left(b, now)
		s.failed, s.alone = b.failed, false
	}
	s.pending = s.wait == 0 && (n == 0 || n > left)
	return s
}

// settle ends a reservation. A failure is charged first, so that a concurrent
// reservation sees either this one or the charge.
func (c *counter[K]) settle(key K, now time.Time, failed bool) {
	slot := c.held.slot(key)
	if failed {
		var full time.Time
		c.buckets.update(key, func(b bucket, _ bool) (bucket, bool) {
			b = c.charge(b, now)
			full = b.full
			return b, true
		})
		slot.charged(full)
	}
	slot.give(now)
}

// release ends a reservation whose attempt was not made.
func (c *counter[K]) release(key K, now time.Time) { c.held.slot(key).give(now) }
