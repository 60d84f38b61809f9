package attempts_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/attempts"
)

func TestNewRefuses(t *testing.T) {
	for want, opt := range map[string]attempts.Option{
		"option 1 is nil":                                   nil,
		"address: 0 failures in 1m0s":                       attempts.WithAddressBudget(0, time.Minute, 1),
		"address: 1 failures in 0s":                         attempts.WithAddressBudget(1, 0, 1),
		"account: 60 failures in 3.6µs":                     attempts.WithAccountBudget(60, 3600, 20),
		"account: burst 0":                                  attempts.WithAccountBudget(1, time.Minute, 0),
		"network: burst 65536":                              attempts.WithNetworkBudget(1, time.Minute, 1<<16),
		"one per 1h0m0s, which is longer than the max wait": attempts.WithAccountBudget(1, time.Hour, 5),
		"max wait 1ms":                                      attempts.WithMaxWait(time.Millisecond),
		"max wait 25h0m0s":                                  attempts.WithMaxWait(25 * time.Hour),
		"known address lifetime 0s":                         attempts.WithKnownAddressLifetime(0),
		"max entries 10":                                    attempts.WithMaxEntries(10),
		"proxies are nil":                                   attempts.WithTrustedProxies(nil),
		"clock is nil":                                      attempts.WithClock(nil),
	} {
		if _, err := attempts.New(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
