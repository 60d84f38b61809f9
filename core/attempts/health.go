package attempts

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// storePause is for how long a store that has failed is left alone, at least; up
// to half of that is added at random, so that instances do not ask at once.
const storePause = time.Second

// errStoreResting is the error of calls that were not made.
var errStoreResting = errors.New("the store has just failed")

// health remembers whether a store fails, so that requests do not wait for one
// that is away. It is safe for concurrent use.
type health struct {
	// next is when a store that fails is asked again, in nanoseconds of Unix time;
	// 0 for one that does not fail.
	next atomic.Int64
}

// check returns nil for a call that may be made. Of those that come when a pause
// is over one may.
func (h *health) check(now time.Time) error {
	next := h.next.Load()
	if next == 0 {
		return nil
	}
	if now.UnixNano() < next || !h.next.CompareAndSwap(next, after(now)) {
		return errStoreResting
	}
	return nil
}

// note takes how a call ended, and reports whether that is a change.
func (h *health) note(now time.Time, err error) (changed bool) {
	if err == nil {
		return h.next.Load() != 0 && h.next.Swap(0) != 0
	}
	return h.next.Swap(after(now)) == 0
}

func after(now time.Time) int64 {
	return now.Add(storePause + rand.N(storePause/2)).UnixNano()
}
