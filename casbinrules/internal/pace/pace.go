// Package pace throttles a background reload, so that requests hardly wait for a
// processor however large the policy is.
package pace

import (
	"iter"
	"runtime"
	"time"
)

// Pace throttles a background reload: it sleeps after each short slice of work, so
// that a request on the same processor waits no longer than that. A goroutine that
// only yields is scheduled again by the same processor before that looks for the
// work of others. A nil Pace never sleeps, as in the first load, when there are no
// requests yet. It is for the single goroutine of a load.
type Pace struct {
	start time.Time
	steps uint32
	since time.Duration // time of the last sleep, since start
	slice time.Duration // how long it runs after that
}

// A slice is as long as the sleep before it, so that a load takes about half of a
// processor. The sleep takes some hundred microseconds in a busy program and a
// millisecond in an idle one, since Go rounds up its waits in the kernel. If others
// occupy all processors for ten milliseconds and more before the load runs again,
// the slice is longest, or the load would take very long.
const (
	// firstSlice is enough for small policies, which are loaded without a sleep.
	firstSlice    = time.Millisecond
	shortestSlice = 200 * time.Microsecond
	longestSlice  = 3 * time.Millisecond
	// rest is enough for a processor to serve the requests that have arrived meanwhile.
	rest = 300 * time.Microsecond
	// stepsPerLook is the number of steps without looking at the clock; a step is the
	// work on one rule, at most a few microseconds.
	stepsPerLook = 32
)

// New returns the pace for work that began at start. In WebAssembly it is nil:
// there is one thread, and a call by the host cannot wait for a timer of the host.
func New(start time.Time) *Pace {
	if runtime.GOARCH == "wasm" {
		return nil
	}
	return &Pace{start: start, slice: firstSlice}
}

// Step must be called after each small piece of work.
func (p *Pace) Step() {
	if p != nil {
		if p.steps++; p.steps%stepsPerLook == 0 {
			p.RestIfDue()
		}
	}
}

// Each yields all, and rests in between. It is for loops whose steps are so short that
// [Pace.Step] would take a noticeable part of the time.
func Each[T any](p *Pace, all []T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, one := range all {
			if i%1024 == 1023 {
				p.RestIfDue()
			}
			if !yield(i, one) {
				return
			}
		}
	}
}

// RestIfDue must be called after work of about a hundred microseconds, and sleeps if the
// slice is over.
func (p *Pace) RestIfDue() {
	if p != nil && time.Since(p.start)-p.since > p.slice {
		p.rest()
	}
}

func (p *Pace) rest() {
	from := time.Since(p.start)
	time.Sleep(rest)
	p.since = time.Since(p.start)
	p.slice = sliceAfter(p.since - from)
}

// sliceAfter returns the length of the slice after a sleep.
func sliceAfter(slept time.Duration) time.Duration {
	return min(max(slept, shortestSlice), longestSlice)
}
