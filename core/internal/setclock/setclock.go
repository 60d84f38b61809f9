// Package setclock simulates, for tests, that the machine's clock was set or that the
// machine was asleep: the time of day then jumps, while the monotonic clock, by which
// package time measures durations, continues undisturbed.
package setclock

import (
	"time"
	"unsafe"
)

// secondsShift is the position of the seconds of the time of day in a reading.
const secondsShift = 30

// By returns now, a reading of [time.Now], as if the clock had been set forward by d, or
// back if d is negative, in whole seconds.
func By(now time.Time, d time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&now)) += uint64(d/time.Second) << secondsShift //nolint:gosec // nothing else sets one of the two
	return now
}
