package sharedstore

import (
	"errors"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/internal/setclock"
)

// TestClockThatIsSet: however the clock is set, a store that has failed is left alone
// for its pause, and no longer.
func TestClockThatIsSet(t *testing.T) {
	now := time.Now()
	for _, before := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
		for _, after := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
			var c Calls
			if !c.note(setclock.By(now, before), errors.New("down")) {
				t.Error("the first failure is no change")
			}
			if c.check(setclock.By(now.Add(pause/2), after)) == nil {
				t.Errorf("set by %v and %v: asked in the pause", before, after)
			}
			if err := c.check(setclock.By(now.Add(2*pause), after)); err != nil {
				t.Errorf("set by %v and %v: not asked after the pause", before, after)
			}
		}
	}
}
