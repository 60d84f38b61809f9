package authtest

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// TimeLimit returns how long a test should wait for something that is certain to happen,
// given that d is enough on an ordinary machine: d times the environment variable
// SALLYPORT_TIME_FACTOR, a number of at least 1, if it is set. All waits of the suite are
// bounded by it, so that one switch keeps them from failing on a slow or busy machine.
// TimeLimit panics if the variable has any other value.
func TimeLimit(d time.Duration) time.Duration {
	return scaled(d, os.Getenv("SALLYPORT_TIME_FACTOR"))
}

func scaled(d time.Duration, factor string) time.Duration {
	if factor == "" {
		return d
	}
	f, err := strconv.ParseFloat(factor, 64)
	if err != nil || !(f >= 1 && f <= 1000) {
		panic(fmt.Sprintf("SALLYPORT_TIME_FACTOR=%s: must be a number from 1 to 1000", factor))
	}
	return time.Duration(float64(d) * f)
}
