package pace

import (
	"testing"
	"time"
)

func TestPaceRestsWhenItsSliceIsOver(t *testing.T) {
	p := New(time.Now().Add(-time.Hour))
	for range stepsPerLook - 1 {
		p.Step()
	}
	if p.since != 0 {
		t.Error("it has looked at the clock too soon")
	}
	if p.Step(); time.Duration(p.since) < time.Hour {
		t.Error("it has not rested after an hour")
	}
	var none *Pace
	none.Step() // rests never, and does no harm
}

// TestAsideAtAPace: what would go on beside the rest waits for its turn, so
// that a reload takes one processor at most.
func TestAsideAtAPace(t *testing.T) {
	called := false
	wait := Aside(New(time.Now()), func() (int, error) {
		called = true
		return 1, nil
	})
	if called {
		t.Error("it was called before its turn")
	}
	if n, err := wait(); n != 1 || err != nil || !called {
		t.Errorf("%d, %v, called %v", n, err, called)
	}
}
