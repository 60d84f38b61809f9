package attempts

import (
	"fmt"
	"time"
)

// budget is how often something may fail: burst times at once, and failures times
// in each per after that.
type budget struct {
	failures int
	per      time.Duration
	burst    int

	// interval is how long it takes to forgive a failure.
	interval time.Duration
	// ahead is how far in the future a bucket may become full: no debt takes longer
	// to forgive than the maximum wait.
	ahead time.Duration
}

// finish completes b, or returns an error if it cannot work.
func (b *budget) finish(maxWait time.Duration) error {
	switch {
	case b.failures < 1 || b.per <= 0:
		return fmt.Errorf("%d failures in %v: must be at least 1, in a period above 0", b.failures, b.per)
	case b.burst < 1 || b.burst > maxHeld:
		return fmt.Errorf("burst %d: must be 1 to %d", b.burst, maxHeld)
	}
	b.interval = b.per / time.Duration(b.failures)
	switch {
	case b.interval < time.Millisecond: // such as 60 failures in 3600, without a unit
		return fmt.Errorf("%d failures in %v: must be at most one per millisecond", b.failures, b.per)
	case b.interval > maxWait:
		return fmt.Errorf("%d failures in %v are one per %v, which is longer than the max wait of %v", b.failures, b.per, b.interval, maxWait)
	}
	b.ahead = maxWait + time.Duration(b.burst-1)*b.interval // 180 years at most
	return nil
}

// bucket is what is left of a budget. The zero bucket is full.
type bucket struct {
	full   time.Time // when all failures will be forgiven
	failed int       // since the bucket was made, for events
}

// charge charges a failure to a bucket of b.
func (b *budget) charge(have bucket, now time.Time) bucket {
	have.failed++
	if have.full.Before(now) {
		have.full = now
	}
	have.full = have.full.Add(b.interval)
	if latest := now.Add(b.ahead); have.full.After(latest) {
		have.full = latest
	}
	return have
}

// left returns how many failures the bucket has left, and if it has none, how long
// until it has one.
func (b *budget) left(have bucket, now time.Time) (n int, wait time.Duration) {
	debt := max(have.full.Sub(now), 0)
	room := time.Duration(b.burst)*b.interval - debt
	if room < b.interval {
		return 0, b.interval - room
	}
	return int(room / b.interval), 0
}
