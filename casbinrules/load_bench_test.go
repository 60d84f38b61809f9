package casbinrules

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// loads are policies of n p lines and n g lines, to measure what a load costs.
var loads = []struct {
	name   string
	policy func(n int) string
}{
	// A path of its own for each line, a tenth of them for one role.
	{"paths", func(n int) string { return strings.NewReplacer("/*,", ",", "PUT", "DELETE").Replace(large(n)) }},
	// As in Casbin's own benchmarks: ten rules per role, ten users per role.
	{"groups", func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p, group%d, /data%d/:id, GET\n", i%(n/10), i)
			fmt.Fprintf(&b, "g, user%d, group%d\n", i, i%(n/10))
		}
		return b.String()
	}},
}

// BenchmarkLoad opens policies of 100,000 rules and as many role links, with diagnostics,
// and reports the memory that they keep.
func BenchmarkLoad(b *testing.B) {
	for _, l := range loads {
		for _, n := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", l.name, n), func(b *testing.B) {
				name := filepath.Join(b.TempDir(), "policy.csv")
				if err := os.WriteFile(name, []byte(l.policy(n)), 0o600); err != nil {
					b.Fatal(err)
				}
				var a *Authorizer
				before := liveHeap()
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if a, err = Open(RBAC(), []string{name}, WithLogger(slog.New(slog.DiscardHandler))); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(liveHeap()-before)/1e6, "MB-live")
				runtime.KeepAlive(a)
			})
		}
	}
}

// liveHeap returns the size of the heap after garbage collection.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
