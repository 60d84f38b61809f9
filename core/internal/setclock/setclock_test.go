package setclock

import (
	"testing"
	"time"
)

func TestBy(t *testing.T) {
	now := time.Now()
	for _, d := range []time.Duration{5 * time.Hour, -5 * time.Hour} {
		set := By(now, d)
		if got := set.Sub(now); got != 0 {
			t.Errorf("%v: the monotonic clock jumps by %v", d, got)
		}
		if got := set.Round(0).Sub(now.Round(0)); got != d {
			t.Errorf("the time of day jumps by %v, want %v", got, d)
		}
		if later := set.Add(time.Minute); later.Sub(now) != time.Minute || later.UnixNano()-now.UnixNano() != int64(d+time.Minute) {
			t.Errorf("%v: a minute later it is %v", d, later)
		}
	}
}
