package digest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// BenchmarkAuthenticate measures a verification by its result. An unknown user and a
// wrong password must take the same time.
func BenchmarkAuthenticate(b *testing.B) {
	a := mustNew(b, storeOf(b, true, "bob"), WithMoreAlgorithms(MD5, SHA512256))
	zeros := strings.Repeat("0", 64)
	for _, c := range []struct {
		name  string
		field string
		want  core.Reason
	}{
		{"wrong password", answers(b, a, SHA256).with("response", zeros).String(), core.ReasonWrongSecret},
		{"unknown user", answers(b, a, SHA256).with("response", zeros).with("username", "eve").String(), core.ReasonUnknownPrincipal},
		{"replay", used(b, a, SHA256), core.ReasonReplayed},
		{"replay SHA-512-256", used(b, a, SHA512256), core.ReasonReplayed},
		{"replay MD5", used(b, a, MD5), core.ReasonReplayed},
		{"foreign nonce", answers(b, a, SHA256).with("nonce", strings.Repeat("A", 43)).String(), ReasonForeignNonce},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, ctx := get(c.field), context.Background()
			if _, err := a.Authenticate(ctx, r); reason(b, err) != c.want {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = a.Authenticate(ctx, r)
			}
		})
	}
	b.Run("right", func(b *testing.B) {
		m, ctx := answers(b, a, SHA256), context.Background()
		fields := make([]string, 1<<15)
		for i := range fields {
			m["nc"] = hex8(i + 1)
			fields[i] = m.sign(b, SHA256, "bob", secret, "GET").String()
		}
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			if i%len(fields) == 0 {
				a.counts = newCounts(1, defaultLifetime, a.start.UnixNano()) // as if none was used
			}
			if _, err := a.Authenticate(ctx, get(fields[i%len(fields)])); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkUnknownUser alternates a wrong password and an unknown user, so that other
// load affects both, and reports the 10th, 50th and 90th percentile of each.
func BenchmarkUnknownUser(b *testing.B) {
	a := mustNew(b, storeOf(b, false, "bob"))
	m := answers(b, a, SHA256).with("response", strings.Repeat("0", 64))
	requests := map[string]*request{"wrong": get(m.String()), "unknown": get(m.with("username", "eve").String())}
	times := map[string][]time.Duration{}
	for range max(b.N, 1000) {
		for name, r := range requests { // in either order
			start := time.Now()
			_, _ = a.Authenticate(b.Context(), r)
			times[name] = append(times[name], time.Since(start))
		}
	}
	for name, t := range times {
		slices.Sort(t)
		for _, p := range []int{10, 50, 90} {
			b.ReportMetric(float64(t[len(t)*p/100].Nanoseconds()), fmt.Sprintf("%s-p%d-ns", name, p))
		}
	}
}

func used(b *testing.B, a *Authenticator, algorithm Algorithm) string {
	field := answers(b, a, algorithm).String()
	if _, err := a.Authenticate(b.Context(), get(field)); err != nil {
		b.Fatal(err)
	}
	return field
}

func BenchmarkChallenges(b *testing.B) {
	a := mustNew(b, nobody{})
	r := get()
	b.ReportAllocs()
	for b.Loop() {
		if len(a.Challenges(r, core.ErrNoCredentials)) != 1 {
			b.Fatal("no challenge")
		}
	}
}

// BenchmarkLoad reads a file of 10,000 users.
func BenchmarkLoad(b *testing.B) {
	f := newFile(b)
	var text strings.Builder
	for i := range 10_000 {
		text.WriteString("user" + hex8(i) + ":" + realm + ":" + hashSHA + "\n")
	}
	data := []byte(text.String())
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Load("users", data); err != nil {
			b.Fatal(err)
		}
	}
}

// Allocation budgets. Lower them with the code.
func TestAllocationBudgets(t *testing.T) {
	a := mustNew(t, storeOf(t, false, "bob"))
	m := answers(t, a, SHA256)
	for _, c := range []struct {
		name, field string
		budget      float64
	}{
		{"another scheme", "Bearer x", 0},
		{"no credentials", "", 0},
		{"a wrong password", m.with("response", strings.Repeat("0", 64)).String(), 9},
	} {
		r, ctx := get(c.field), t.Context()
		if got := testing.AllocsPerRun(200, func() { _, _ = a.Authenticate(ctx, r) }); got > c.budget+raceSlack {
			t.Errorf("%s: %v allocations, the budget is %v", c.name, got, c.budget)
		}
	}
}
