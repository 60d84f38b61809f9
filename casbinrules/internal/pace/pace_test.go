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
	p.slice = 0
	if p.Step(); p.since < time.Hour {
		t.Error("it has not rested after an hour")
	}
	if p.slice < shortestSlice {
		t.Errorf("it goes on for %v, as if it had not rested", p.slice)
	}
	var none *Pace
	none.Step() // rests never, and does no harm
}

// TestEachRestsInBetween: it yields everything in order, and looks at the clock now and
// then, however cheap the loop is.
func TestEachRestsInBetween(t *testing.T) {
	all := make([]int, 5000)
	for i := range all {
		all[i] = i
	}
	for _, p := range []*Pace{nil, New(time.Now().Add(-time.Hour))} {
		next := 0
		for i, one := range Each(p, all) {
			if i != next || one != next {
				t.Fatalf("%d: %d, want %d", i, one, next)
			}
			next++
		}
		if next != len(all) {
			t.Errorf("yields %d of %d", next, len(all))
		}
		if p != nil && p.since < time.Hour {
			t.Error("it has not rested after an hour")
		}
		for i := range Each(p, all) {
			if i == 3 {
				break
			}
		}
	}
}

func TestASliceIsAsLongAsTheSleepBefore(t *testing.T) {
	for slept, want := range map[time.Duration]time.Duration{
		0:                       shortestSlice,
		rest:                    rest,
		1100 * time.Microsecond: 1100 * time.Microsecond,
		40 * time.Millisecond:   longestSlice,
	} {
		if got := sliceAfter(slept); got != want {
			t.Errorf("after %v it goes on for %v, want %v", slept, got, want)
		}
	}
}

// TestAsideAtAPace: concurrent work waits its turn, so that a reload uses one processor at
// most.
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
