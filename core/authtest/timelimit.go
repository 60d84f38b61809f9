package authtest

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// TimeLimit is how long a test should wait for what is certain to come when it
// would wait for d on an ordinary machine: d times the environment variable
// SALLYPORT_TIME_FACTOR, a number of at least 1, where that is set. The suite
// bounds all its waiting this way, so that one switch keeps it from failing on a
// machine that is slow or busy. TimeLimit panics if the variable is something
// else.
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
