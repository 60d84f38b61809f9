package htpasswd

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/basic"
)

// What requests cost, by what comes of them.
func BenchmarkVerifyPassword(b *testing.B) {
	f := mustParse(b, "low:"+hashOf(b, "secret", 8)+"\nhigh:"+hashOf(b, "secret", 10)+"\nargon2id:"+argon2idOf("secret", 19456, 2, 1))
	for _, c := range []struct{ name, user, password string }{
		{"unknown_user", "nobody", "wrong"},
		{"wrong_password", "high", "wrong"},
		{"wrong_password_of_a_cheap_hash", "low", "wrong"},
		{"wrong_password_of_argon2id", "argon2id", "wrong"},
		{"too_long_password", "high", strings.Repeat("x", 73)},
		{"right_password", "high", "secret"},
		{"right_password_of_argon2id", "argon2id", "secret"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, _ = f.VerifyPassword(b.Context(), c.user, c.password)
			}
		})
	}
}

// What a right password costs once it is remembered.
func BenchmarkRememberedPassword(b *testing.B) {
	f := mustParse(b, "alice:"+hashOf(b, "secret", 10))
	users, err := basic.NewCache(f, basic.WithCacheTTL(10*time.Minute))
	if err != nil {
		b.Fatal(err)
	}
	for name, v := range map[string]basic.Verifier{"hashed": f, "remembered": users} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := v.VerifyPassword(b.Context(), "alice", "secret"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// C08: the times of an unknown user and of a wrong password, taken by turns.
// "later" is how often, in percent, the first took longer than the second; 50
// means that the time tells nothing. "overlap" is the share of both
// distributions, in percent, that lies in the same place.
//
// Run it with -benchtime=500x or so.
func BenchmarkUnknownAgainstWrong(b *testing.B) {
	bcrypt10, bcrypt8 := "high:"+hashOf(b, "secret", 10)+"\n", "low:"+hashOf(b, "secret", 8)+"\n"
	argon2id := "argon2id:" + argon2idOf("secret", 19456, 2, 1) + "\n"
	for _, c := range []struct{ name, text, user string }{
		{"bcrypt", bcrypt10, "high"},
		{"two_costs_of_bcrypt", bcrypt10 + bcrypt8, "low"},
		{"argon2id", argon2id, "argon2id"},
		{"both_and_bcrypt", bcrypt10 + argon2id, "high"},
		{"both_and_argon2id", bcrypt10 + argon2id, "argon2id"},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := mustParse(b, c.text)
			times := map[string][]time.Duration{}
			for b.Loop() {
				for _, user := range []string{"nobody", c.user} {
					start := time.Now()
					_, _ = f.VerifyPassword(b.Context(), user, "wrong")
					times[user] = append(times[user], time.Since(start))
				}
			}
			unknown, wrong := times["nobody"], times[c.user]
			slices.Sort(unknown)
			slices.Sort(wrong)
			for name, sorted := range map[string][]time.Duration{"unknown": unknown, "wrong": wrong} {
				for suffix, percent := range map[string]int{"-p10-ms": 10, "-p50-ms": 50, "-p90-ms": 90} {
					b.ReportMetric(float64(sorted[len(sorted)*percent/100])/float64(time.Millisecond), name+suffix)
				}
			}
			b.ReportMetric(later(unknown, wrong), "later-%")
			b.ReportMetric(overlap(unknown, wrong), "overlap-%")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// later is how often one of a is above one of b, in percent.
func later(a, b []time.Duration) float64 {
	n := 0
	for _, x := range a {
		i, _ := slices.BinarySearch(b, x)
		n += i
	}
	return 100 * float64(n) / float64(len(a)*len(b))
}

// overlap is what two sorted samples share of a histogram of 20 bins between
// the 1st and the 99th percentile of both together, in percent.
func overlap(a, b []time.Duration) float64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	low, high := all[len(all)/100], all[len(all)*99/100]
	const bins = 20
	bin := func(x time.Duration) int {
		return int(bins * (min(max(x, low), high) - low) / (high - low + 1))
	}
	var in [2][bins]float64
	for i, sample := range [][]time.Duration{a, b} {
		for _, x := range sample {
			in[i][bin(x)] += 100 / float64(len(sample))
		}
	}
	shared := 0.0
	for i := range bins {
		shared += min(in[0][i], in[1][i])
	}
	return shared
}
