package authtest

import (
	"testing"
	"time"
)

func TestTimeLimitsAreMultiplied(t *testing.T) {
	for factor, want := range map[string]time.Duration{"": time.Minute, "1": time.Minute, "2.5": 150 * time.Second, "8": 8 * time.Minute} {
		if got := scaled(time.Minute, factor); got != want {
			t.Errorf("factor %q: %v, want %v", factor, got, want)
		}
	}
	for _, factor := range []string{"0", "0.9", "-8", "NaN", "Inf", "1e9", "8x", " "} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("factor %q is taken", factor)
				}
			}()
			scaled(time.Minute, factor)
		}()
	}
}
