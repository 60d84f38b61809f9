// Package setclock is for tests of what becomes of times when somebody sets the clock
// of the machine, or when the machine has slept: the time of day then jumps, and the
// monotonic clock, by which package time measures what lies between two readings, goes
// on as if nothing had been.
package setclock

import (
	"time"
	"unsafe"
)

// secondsShift is where a reading has the seconds of its time of day.
const secondsShift = 30

// By is now, a reading of [time.Now], as the clock shows it that was set forward by d,
// or back where d is negative, in whole seconds.
func By(now time.Time, d time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&now)) += uint64(d/time.Second) << secondsShift //nolint:gosec // nothing else sets one of the two
	return now
}
