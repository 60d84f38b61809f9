// Package pace throttles a background reload, so that requests wait for a
// processor for 10 ms at most however large the policy is.
package pace

import (
	"runtime"
	"time"
)

// Pace throttles a background reload: it sleeps every few milliseconds, so that
// no request waits longer for its processor. A goroutine that merely yields is
// scheduled again by the same processor before that looks for work of others. A
// nil pace never sleeps, as in the first load, which no request waits beside.
// It is for the one goroutine of a load.
type Pace struct {
	start time.Time
	steps uint32
	since int64 // when it last slept, in nanoseconds from start
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

// New is the pace of work that began at start. In WebAssembly it is nil: there is
// one thread, and what its host has called cannot wait for a timer of the host.
func New(start time.Time) *Pace {
	if runtime.GOARCH == "wasm" {
		return nil
	}
	return &Pace{start: start}
}

// Step is called after each bit of work.
func (p *Pace) Step() {
	if p != nil {
		if p.steps++; p.steps%stepsPerLook == 0 {
			p.RestIfDue()
		}
	}
}

// RestIfDue is called after work of a millisecond or so, and rests if the slice is
// over.
func (p *Pace) RestIfDue() {
	if p != nil && int64(time.Since(p.start))-p.since > int64(paceSlice) {
		p.Rest()
	}
}

func (p *Pace) Rest() {
	time.Sleep(paceRest)
	p.since = int64(time.Since(p.start))
}
