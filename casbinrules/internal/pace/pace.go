// Package pace throttles a load that goes on beside requests, so that they wait
// for a processor for 10 ms at most however large the policy is.
package pace

import (
	"sync/atomic"
	"time"
)

// Pace has a load that goes on beside requests rest often, so that requests
// wait for its processor for some milliseconds at most. It rests asleep: a
// goroutine that merely yields is taken up again by the same processor, before
// that looks for what waits at another one. A nil pace never rests: nobody asks
// before the first load is done.
type Pace struct {
	start time.Time
	steps atomic.Uint32
	since atomic.Int64 // when it last rested, in nanoseconds from start
}

const (
	// paceSlice is for how long a load runs on. Go lets others run for ten
	// milliseconds and more before its turn comes again, so that less would make
	// reloads take long.
	paceSlice = 3 * time.Millisecond
	// paceRest is enough for a processor to find other work.
	paceRest = 500 * time.Microsecond
	// stepsPerLook is how many steps are made without looking at the clock; a
	// step is the work on one rule, at most a few microseconds.
	stepsPerLook = 32
)

func New() *Pace { return &Pace{start: time.Now()} }

// Step is called after each bit of work.
func (p *Pace) Step() {
	if p != nil && p.steps.Add(1)%stepsPerLook == 0 {
		p.RestIfDue()
	}
}

// RestIfDue is called after work of a millisecond or so, and rests if the slice is
// over.
func (p *Pace) RestIfDue() {
	if p != nil && int64(time.Since(p.start))-p.since.Load() > int64(paceSlice) {
		p.Rest()
	}
}

func (p *Pace) Rest() {
	time.Sleep(paceRest)
	p.since.Store(int64(time.Since(p.start)))
}
