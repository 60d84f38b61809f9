package attempts_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/internal/setclock"
)

// TestClockThatIsSet: however the clock is set between failures, as by a machine that has
// slept, no more guesses pass than the budget, and nobody waits longer than for the time
// that passes.
func TestClockThatIsSet(t *testing.T) {
	steps := []time.Duration{-5 * time.Hour, 0, 5 * time.Hour}
	for name, of := range map[string]struct {
		ofAddress int // its budget
		attempt   func(i int) (addr, account string)
	}{
		"address": {5, func(int) (string, string) { return "192.0.2.1:80", "" }},
		"network": {5, func(i int) (string, string) { return fmt.Sprintf("[2001:db8:0:%x::1]:80", i), "" }},
		"account": {1000, func(int) (string, string) { return "192.0.2.1:80", "alice" }},
	} {
		for _, first := range steps {
			for _, second := range steps {
				t.Run(fmt.Sprintf("%s, by %v, then %v", name, first, second), func(t *testing.T) {
					start, passed, set := time.Now(), time.Duration(0), first
					l, err := attempts.New(attempts.WithAddressBudget(1, time.Minute, of.ofAddress), attempts.WithNetworkBudget(1, time.Minute, 5),
						attempts.WithAccountBudget(1, time.Minute, 5),
						attempts.WithClock(func() time.Time { return setclock.By(start.Add(passed), set) }))
					if err != nil {
						t.Fatal(err)
					}
					b := &bench{Limiter: l, t: t}
					guesses := func() (n int) {
						for i := range 100 {
							if addr, account := of.attempt(i); b.try(addr, account, wrong) == 0 {
								n++
							}
						}
						return n
					}
					if n := guesses(); n != 5 {
						t.Fatalf("%d guesses pass, want 5", n)
					}
					set = second
					if n := guesses(); n != 0 {
						t.Errorf("%d more guesses pass when the clock is set", n)
					}
					passed += time.Minute
					if n := guesses(); n != 1 {
						t.Errorf("%d guesses pass after a minute, want 1", n)
					}
				})
			}
		}
	}
}
