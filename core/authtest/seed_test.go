package authtest

import (
	"testing"
	"time"
)

func TestSeedsAreFixedOrAsked(t *testing.T) {
	now := time.Unix(0, 1234)
	for s, want := range map[string]uint64{"": 1, "now": 1234, "7": 7, "18446744073709551615": 1<<64 - 1} {
		if got := seedFrom(s, now); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	for _, s := range []string{"never", "-1", "18446744073709551616", "0x7", " 7"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken for a seed", s)
				}
			}()
			seedFrom(s, now)
		}()
	}
}
