// Package sharedstore calls stores that instances of a service share, for instances that
// decide by themselves while the store is unavailable.
package sharedstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// pause is the minimum time for which a failed store is not called. Up to half of it is
// added at random, so that instances do not call simultaneously.
const pause = time.Second

// start is the reference of all times. It makes them monotonic: otherwise a clock that was
// set back could keep a store from being called for hours.
var start = time.Now()

// errResting is the error of calls that were skipped.
var errResting = errors.New("the store has just failed")

// Calls makes the calls to one store. It is safe for concurrent use.
type Calls struct {
	// Timeout bounds one call.
	Timeout time.Duration
	// Told, if not nil, is called with the error when the store begins to fail, and with
	// nil when it has recovered.
	Told func(err error)

	// next is when a failing store is called again, in nanoseconds after start; 0 if it
	// works.
	next atomic.Int64
}

// Do calls f, unless the store has just failed. The end of the request does not cancel the
// call, since it would then be unknown what the store has done.
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

// check returns nil if a call may be made. After a pause, only one of the waiting calls
// may.
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

// note records the result of a call, and reports whether it is a change.
func (c *Calls) note(now time.Time, err error) (changed bool) {
	if err == nil {
		return c.next.Load() != 0 && c.next.Swap(0) != 0
	}
	return c.next.Swap(after(now)) == 0
}

func after(now time.Time) int64 { return int64(now.Sub(start) + pause + rand.N(pause/2)) }
