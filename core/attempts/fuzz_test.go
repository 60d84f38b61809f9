package attempts_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// FuzzAttempts makes attempts in any order and compares with what is promised:
// an address never fails more often than its budget allows, and is refused only
// if it has used that up, or has failed for the account it wants.
func FuzzAttempts(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("\x00\x01\x05\x01\x0a\x01\x0f\x01\x00\xf0\x05\x00\x00\x02\x00\x03"))
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"))
	outcomes := []error{wrong, nil, expired, outage}
	f.Fuzz(func(t *testing.T, script []byte) {
		b := newBench(t)
		tokens := map[string]float64{}
		pairs := map[string]bool{} // that have failed
		for i := range 4 {
			tokens[fmt.Sprintf("10.0.0.%d:80", i)] = 3
		}
		for ; len(script) >= 2; script = script[2:] {
			addr, account := fmt.Sprintf("10.0.0.%d:80", script[0]%4), fmt.Sprint("user", script[0]>>2%3)
			outcome, pause := outcomes[script[1]%4], time.Duration(script[1]>>2)*time.Second
			b.now = b.now.Add(pause)
			for a := range tokens {
				tokens[a] = min(3, tokens[a]+pause.Minutes())
			}
			over := tokens[addr] < 1-1e-6
			err := b.Allow(context.Background(), from(addr), account)
			switch {
			case err == nil && over:
				t.Fatalf("%s passes with %v failures left", addr, tokens[addr])
			case err != nil && !over && tokens[addr] > 1+1e-6 && !pairs[addr+account]:
				t.Fatalf("%s is refused for %s, for which it has not failed: %v", addr, account, err)
			case err != nil:
				continue
			}
			b.Report(context.Background(), from(addr), account, outcome)
			if outcome == wrong {
				tokens[addr]--
				pairs[addr+account] = true
			}
		}
	})
}
