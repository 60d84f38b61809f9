package bench

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// BenchmarkLoad opens a policy of as many rules as role links, from text that
// is in memory. Ours looks for mistakes in it on the way.
func BenchmarkLoad(b *testing.B) {
	for _, n := range sizesUpTo(1000, 10_000, 100_000) {
		source := sourceOf(policies.Mix, n)
		for _, kind := range engines.All() {
			if kind.Name == "casbin-synced" || kind.Name == "casbin-cached" {
				continue // loads as casbin does
			}
			b.Run(fmt.Sprintf("engine=%s/rules=%d", kind.Name, n), func(b *testing.B) {
				var e engines.Engine
				if _, err := kind.Open(source()); err != nil { // which makes the text
					b.Fatal(err)
				}
				before := liveHeap()
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if e, err = kind.Open(source()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(liveHeap()-before), "live-B")
				runtime.KeepAlive(e)
			})
		}
	}
}
