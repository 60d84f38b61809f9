package watch

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// How long a change takes from the rename to the callback. With what the
// callback itself needs, this is the latency of a revocation.
func BenchmarkRenameToCallback(b *testing.B) {
	for _, c := range []struct {
		name string
		opts []Option
	}{
		{"default", nil},
		{"quiet_10ms", []Option{WithDebounce(10*time.Millisecond, time.Second)}},
		{"quiet_1ms", []Option{WithDebounce(time.Millisecond, time.Second)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "p.csv")
			write(b, file, "start")
			called := make(chan time.Time, 1)
			w, err := New([]string{file}, func(context.Context, Snapshot) error {
				called <- time.Now()
				return nil
			}, c.opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer w.Close()
			<-called
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				write(b, file+"~", strconv.Itoa(n))
				start := time.Now()
				rename(b, file+"~", file)
				took = append(took, (<-called).Sub(start))
			}
			slices.Sort(took)
			b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
			b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
			b.ReportMetric(ms(took[len(took)-1]), "max-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// What a look at unchanged files costs, as each poll does.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	for i := range 10 {
		write(b, filepath.Join(dir, strconv.Itoa(i)+".csv"), string(make([]byte, 64<<10)))
	}
	for b.Loop() {
		if _, err := Read([]string{dir}, WithSuffixes(".csv")); err != nil {
			b.Fatal(err)
		}
	}
}
