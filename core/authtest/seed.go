package authtest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// Seed returns what the random input of a test follows from, and logs it: 1, so that every
// run tries the same and a red one can be repeated, or the number in the environment
// variable SALLYPORT_SEED; "now" there is the time of day, for new input in each run. Seed
// panics if the variable has any other value.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := seedFrom(os.Getenv("SALLYPORT_SEED"), time.Now())
	t.Logf("SALLYPORT_SEED=%d", seed)
	return seed
}

func seedFrom(s string, now time.Time) uint64 {
	switch s {
	case "":
		return 1
	case "now":
		return uint64(now.UnixNano())
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("SALLYPORT_SEED=%s: must be a number from 0 to 2⁶⁴−1, or now", s))
	}
	return seed
}
