package casbinrules

import (
	"runtime"
	"sync/atomic"
	"time"
)

// pace has a load that goes on beside requests leave them the processor often.
// Without it a goroutine that waits for a processor may wait for ten
// milliseconds, which is how long Go lets another one run. A nil pace never
// waits: nobody asks before the first load is done.
type pace struct {
	start time.Time
	steps atomic.Uint32
	since atomic.Int64 // when it last left the processor, in nanoseconds from start
}

const (
	// paceSlice is for how long a load runs on.
	paceSlice = 2 * time.Millisecond
	// stepsPerLook is how many steps are made without looking at the clock; a
	// step is the work on one rule, at most a few microseconds.
	stepsPerLook = 32
)

func newPace() *pace { return &pace{start: time.Now()} }

// step is called after each bit of work.
func (p *pace) step() {
	if p == nil || p.steps.Add(1)%stepsPerLook != 0 {
		return
	}
	if now := int64(time.Since(p.start)); now-p.since.Load() > int64(paceSlice) {
		runtime.Gosched()
		p.since.Store(int64(time.Since(p.start)))
	}
}
