package attempts

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

const (
	slots = 1 << 13
	// maxHeld is how many reservations a slot counts.
	maxHeld = 1<<16 - 1
	// heldFor is how long a reservation counts at least if nobody reports how
	// the attempt ended; it counts for less than twice as long.
	heldFor = time.Minute
)

// reservations counts attempts that are under way, by key, and knows which keys
// may have failed. It has a fixed number of slots and no lock, so that attempts
// that succeed do not wait for each other. Keys that share a slot are counted
// together: one of them may be told to wait for the other's attempts to end, and
// none passes that should not. It is safe for concurrent use.
type reservations[K comparable] struct {
	seed  maphash.Seed // secret: nobody can choose keys that share a slot
	slots [slots]slot
}

type slot struct {
	// held is the epoch in the upper half, and below it how many reservations
	// are left from the epoch before and how many from this one.
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

// take reserves an attempt, unless most are under way already, and returns how
// many are under way with it; 0 for none.
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

// give takes a reservation back, an older one first.
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

// charged notes that a bucket of the slot's is not full before t.
func (s *slot) charged(t time.Time) {
	for {
		old := s.failed.Load()
		if t.UnixNano() <= old || s.failed.CompareAndSwap(old, t.UnixNano()) {
			return
		}
	}
}

// isClean reports whether all buckets of the slot's are full.
func (s *slot) isClean(now time.Time) bool { return s.failed.Load() <= now.UnixNano() }

// unpack reads a slot as it is at now: reservations from before the last epoch
// are dropped. A clock that is set back drops none.
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
