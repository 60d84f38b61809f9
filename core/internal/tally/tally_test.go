package tally

import (
	"sync"
	"testing"
)

func TestNoEventIsLostInParallel(t *testing.T) {
	var c Counter
	const workers, each = 8, 10_000
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			for range each {
				c.Add()
			}
		})
	}
	done.Wait()
	if got := c.Load(); got != workers*each {
		t.Errorf("%d events counted, want %d", got, workers*each)
	}
	if n := testing.AllocsPerRun(100, c.Add); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	var c Counter
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Add()
		}
	})
}
