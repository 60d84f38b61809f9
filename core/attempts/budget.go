package attempts

import (
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// budget is how often something may fail: burst times at once, and as often as
// failures in per after that.
type budget struct {
	failures int
	per      time.Duration
	burst    int

	limit rate.Limit
	// floor is how far below zero tokens go: a debt that is paid off in the
	// longest wait there is.
	floor float64
}

// settle completes b, or says why it cannot work.
func (b *budget) settle(maxWait time.Duration) error {
	switch {
	case b.failures < 1 || b.per <= 0:
		return fmt.Errorf("%d failures in %v: at least 1 in a time above 0", b.failures, b.per)
	case b.burst < 1:
		return fmt.Errorf("burst %d: at least 1", b.burst)
	}
	b.limit = rate.Limit(float64(b.failures) / b.per.Seconds())
	if b.floor = 1 - float64(b.limit)*maxWait.Seconds(); b.floor > 0 {
		return fmt.Errorf("%d failures in %v are one in %v, more than the longest wait of %v",
			b.failures, b.per, b.per/time.Duration(b.failures), maxWait)
	}
	return nil
}

// bucket is what is left of a budget. The zero bucket is full.
type bucket struct {
	tokens *rate.Limiter
	failed int // since the bucket was made, for events
}

// charge takes a failure from a bucket of b.
func (b *budget) charge(have bucket, now time.Time) bucket {
	if have.tokens == nil {
		have.tokens = rate.NewLimiter(b.limit, b.burst)
	}
	have.failed++
	if have.tokens.TokensAt(now)-1 >= b.floor {
		_ = have.tokens.ReserveN(now, 1) // a reservation may run into debt, which Allow would not
	}
	return have
}

// rounding is far below what a nanosecond is worth in tokens of any budget, so
// that who waits exactly as told is not refused again.
const rounding = 1e-9

// wait is how long until the bucket has a failure left; 0 if it has.
func (b bucket) wait(now time.Time) time.Duration {
	missing := 1 - b.tokens.TokensAt(now)
	if missing <= rounding {
		return 0
	}
	return time.Duration(missing / float64(b.tokens.Limit()) * float64(time.Second))
}
