package jwtauth

import (
	"fmt"
	"testing"
	"time"
)

func TestSightingsAreBounded(t *testing.T) {
	s, now := newSightings(), time.Unix(0, 0)
	kept := s.of("kept", 7, now)
	for i := range 10 * maxSightings {
		s.of(fmt.Sprint(i), 8, now)
		if i%1000 == 0 && s.of("kept", 9, now) != kept {
			t.Fatalf("a kid in use was forgotten after %d others", i)
		}
	}
	if n := len(s.young) + len(s.old); n > 2*maxSightings {
		t.Errorf("%d kids are remembered, at most %d", n, 2*maxSightings)
	}
	if one := s.of("0", 9, now); one.begun != 9 {
		t.Errorf("a kid that was not seen for long counts from fetch %d", one.begun)
	}
}

func TestBudget(t *testing.T) {
	var b budget
	now := time.Unix(1000, 0)
	for i, want := range []time.Duration{0, 0, 0, 0, 0, 6 * time.Second, 12 * time.Second} {
		if got := b.take(now, 30*time.Second); got != want {
			t.Errorf("fetch %d: wait %v, want %v", i+1, got, want)
		}
	}
	for range 5 { // the whole budget is back, and no more
		now = now.Add(time.Hour)
		for i, want := range []time.Duration{0, 0, 0, 0, 0, 6 * time.Second} {
			if got := b.take(now, 30*time.Second); got != want {
				t.Errorf("an hour later, fetch %d: wait %v, want %v", i+1, got, want)
			}
		}
	}
}
