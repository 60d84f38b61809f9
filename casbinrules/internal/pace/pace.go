// Package pace throttles a background reload, so that requests hardly wait for a
// processor however large the policy is.
package pace

import (
	"runtime"
	"time"
)

// Pace throttles a background reload: it sleeps after each short slice of work, so
// that a request which has come to its processor waits no longer than that. A goroutine
// that merely yields is scheduled again by the same processor before that looks for
// work of others. A nil pace never sleeps, as in the first load, which no request waits
// beside. It is for the one goroutine of a load.
type Pace struct {
	start time.Time
	steps uint32
	since time.Duration // when it last slept, from start
	slice time.Duration // for how long it runs on from then
}

// A slice is as long as the sleep before it, so that a load takes about half of a
// processor. That sleep is some hundred microseconds in a busy program and a millisecond
// in an idle one, since Go rounds up what it waits for in the kernel. Where others keep
// all processors for ten milliseconds and more before the turn of the load comes again,
// the slice is longest, or the load would take very long.
const (
	// firstSlice is enough for small policies, which are loaded without a rest.
	firstSlice    = time.Millisecond
	shortestSlice = 200 * time.Microsecond
	longestSlice  = 3 * time.Millisecond
	// rest is enough for a processor to serve what has come meanwhile.
	rest = 300 * time.Microsecond
	// stepsPerLook is how many steps are made without looking at the clock; a
	// step is the work on one rule, at most a few microseconds.
	stepsPerLook = 32
)

// New is the pace of work that began at start. In WebAssembly it is nil: there is
// one thread, and what its host has called cannot wait for a timer of the host.
func New(start time.Time) *Pace {
	if runtime.GOARCH == "wasm" {
		return nil
	}
	return &Pace{start: start, slice: firstSlice}
}

// Step is called after each bit of work.
func (p *Pace) Step() {
	if p != nil {
		if p.steps++; p.steps%stepsPerLook == 0 {
			p.RestIfDue()
		}
	}
}

// RestIfDue is called after work of a hundred microseconds or so, and rests if the
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

// sliceAfter is how long a slice is after a sleep.
func sliceAfter(slept time.Duration) time.Duration {
	return min(max(slept, shortestSlice), longestSlice)
}
