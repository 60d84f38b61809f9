// Package sharedstore calls stores that the instances of a service share, for
// instances that decide alone while the store is unavailable.
package sharedstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// pause is the minimum time for which a failed store is not called; up to half of
// it is added at random, so that instances do not call at once.
const pause = time.Second

// start is what times are counted from: by the monotonic clock, since a clock that was
// set back would have a store be left alone for hours.
var start = time.Now()

// errResting is the error of calls that were not made.
var errResting = errors.New("the store has just failed")

// Calls are those of one store. They are safe for concurrent use.
type Calls struct {
	// Timeout is how long one may take.
	Timeout time.Duration
	// Told, which may be nil, is told when the store begins to fail, with the
	// error, and when it answers again, with nil.
	Told func(err error)

	// next is when a store that fails is asked again, in nanoseconds after start; 0 for
	// one that does not fail.
	next atomic.Int64
}

// Do has f ask the store, unless it has failed just now. The end of a request does
// not end a call of it: what the store has done would not be known.
func (c *Calls) Do(ctx context.Context, f func(context.Context) error) error {
	if err := c.check(time.Now()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Timeout)
	defer cancel()
	err := f(ctx)
	if c.note(time.Now(), err) && c.Told != nil {
		c.Told(err)
	}
	return err
}

// check returns nil for a call that may be made. Of those that come when a pause
// is over one may.
func (c *Calls) check(now time.Time) error {
	next := c.next.Load()
	if next == 0 {
		return nil
	}
	if now.Sub(start) < time.Duration(next) || !c.next.CompareAndSwap(next, after(now)) {
		return errResting
	}
	return nil
}

// note takes how a call ended, and reports whether that is a change.
func (c *Calls) note(now time.Time, err error) (changed bool) {
	if err == nil {
		return c.next.Load() != 0 && c.next.Swap(0) != 0
	}
	return c.next.Swap(after(now)) == 0
}

func after(now time.Time) int64 { return int64(now.Sub(start) + pause + rand.N(pause/2)) }
