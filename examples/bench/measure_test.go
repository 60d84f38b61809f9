package bench

import (
	"flag"
	"runtime"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// What a run measures can be cut down, for a short one.
var (
	maxRules   = flag.Int("maxrules", 1_000_000, "the largest policy to measure")
	tooLong    = flag.Duration("toolong", 10*time.Millisecond, "an engine whose decision takes this long is not measured at larger sizes")
	window     = flag.Duration("window", time.Second, "how long policies are reloaded, and strangers asked about")
	strangers  = flag.Int("strangers", 200_000, "how many unknown subjects are asked about at most")
	tokenCount = flag.Int("tokens", 65_536, "how many tokens are seen in turn, more than any cache holds")
)

// sizesUpTo are the sizes that flags allow: at least one.
func sizesUpTo(sizes ...int) []int {
	var all []int
	for _, n := range sizes {
		if n <= *maxRules {
			all = append(all, n)
		}
	}
	if all == nil {
		return []int{*maxRules}
	}
	return all
}

// ask is one prepared question.
type ask = func() (bool, error)

func prepare(e engines.Engine, questions []policies.Question) []ask {
	asks := make([]ask, len(questions))
	for i, q := range questions {
		asks[i] = e.Prepare(q)
	}
	return asks
}

// openFor opens an engine, sees that it answers, and says how long that takes:
// the best of three times, so that no other program makes an engine look slow.
func openFor(b *testing.B, kind engines.Kind, s *engines.Source) (e engines.Engine, took time.Duration) {
	b.Helper()
	e, err := kind.Open(s)
	if err != nil {
		b.Fatalf("%s: %v", kind.Name, err)
	}
	took = time.Hour
	for _, q := range s.Cases()[0].Questions[:3] {
		one := e.Prepare(q)
		start := time.Now()
		got, err := one()
		took = min(took, time.Since(start))
		if err != nil || got != q.Allowed {
			b.Fatalf("%s: %+v: %v, %v", kind.Name, q, got, err)
		}
	}
	return e, took
}

// askInTurn measures one decision.
func askInTurn(b *testing.B, asks []ask) {
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := asks[i](); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(asks) {
			i = 0
		}
	}
}

// askAtOnce measures decisions on all processors.
func askAtOnce(b *testing.B, asks []ask) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := asks[i%len(asks)](); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// liveHeap is what the heap holds when all that nobody needs is gone.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
