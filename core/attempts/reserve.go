package attempts

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

const (
	slots = 1 << 13
	// maxHeld is the maximum number of reservations that a slot counts.
	maxHeld = 1<<16 - 1
	// heldFor is the minimum time that an unreported reservation counts; the
	// maximum is less than twice as long.
	heldFor = time.Minute
)

// reservations counts attempts that are under way, by key, and knows which keys may
// have failed. It has a fixed number of slots and no lock, so that successful
// attempts do not wait for each other. Keys that share a slot are counted together:
// one may have to wait for the other's attempts to end, but none passes that should
// not. It is safe for concurrent use.
type reservations[K comparable] struct {
	seed  maphash.Seed // secret: nobody can choose keys that share a slot
	slots [slots]slot
}

type slot struct {
	// held packs the epoch in the upper half, and in the lower half the numbers of
	// reservations left from the previous epoch and from this one.
	held atomic.Uint64
	// failed is when the last bucket of the slot's keys becomes full again, in
	// nanoseconds of Unix time.
	failed atomic.Int64
}

func newReservations[K comparable]() *reservations[K] {
	return &reservations[K]{seed: maphash.MakeSeed()}
}

func (t *reservations[K]) slot(key K) *slot {
	return &t.slots[maphash.Comparable(t.seed, key)%slots]
}

// take reserves an attempt, unless most are under way already, and returns how many
// are under way including it; 0 if it was not reserved.
func (s *slot) take(now time.Time, most int) int {
	for {
		old := s.held.Load()
		epoch, before, current := unpack(old, now)
		if before+current >= min(uint64(most), maxHeld) {
			return 0
		}
		if s.held.CompareAndSwap(old, pack(epoch, before, current+1)) {
			return int(before + current + 1)
		}
	}
}

// give releases a reservation, an older one first.
func (s *slot) give(now time.Time) {
	for {
		old := s.held.Load()
		epoch, before, current := unpack(old, now)
		switch {
		case before > 0:
			before--
		case current > 0:
			current--
		}
		if s.held.CompareAndSwap(old, pack(epoch, before, current)) {
			return
		}
	}
}

// charged records that a bucket of the slot is not full before t.
func (s *slot) charged(t time.Time) {
	for {
		old := s.failed.Load()
		if t.UnixNano() <= old || s.failed.CompareAndSwap(old, t.UnixNano()) {
			return
		}
	}
}

// isClean reports whether all buckets of the slot are full.
func (s *slot) isClean(now time.Time) bool { return s.failed.Load() <= now.UnixNano() }

// unpack returns the state of a slot at now, without reservations from before the
// last epoch. If the clock is set back, none are dropped.
func unpack(held uint64, now time.Time) (epoch, before, current uint64) {
	epoch, before, current = held>>32, held>>16&maxHeld, held&maxHeld
	switch at := uint64(now.Unix()) / uint64(heldFor/time.Second) & (1<<32 - 1); {
	case at == epoch+1:
		return at, current, 0
	case at > epoch:
		return at, 0, 0
	}
	return epoch, before, current
}

func pack(epoch, before, current uint64) uint64 { return epoch<<32 | before<<16 | current }
