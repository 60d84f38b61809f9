//go:build unix

package casbinrules

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/load"
)

// BenchmarkReload changes one rule, with as many role links or none, and reports processor
// time: a reload pauses in between.
func BenchmarkReload(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		benchmarkReload(b, n)
	}
}

// benchmarkReload measures policies of n rules.
func benchmarkReload(b *testing.B, n int) {
	for _, l := range append(loads, struct {
		name   string
		policy func(n int) string
	}{"users", func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "p, user%d, /things/%d/*, GET\n", i, i)
		}
		return b.String()
	}}) {
		for _, change := range []string{"rule", "link", "all"} {
			b.Run(fmt.Sprintf("%s/%s/%d", l.name, change, n), func(b *testing.B) {
				text := l.policy(n)
				half := strings.Index(text[len(text)/2:], "\np, ") + len(text)/2 + 1
				fsys := files("p.csv", text)
				a, err := OpenFS(fsys, RBAC(), []string{"p.csv"}, WithLogger(slog.New(slog.DiscardHandler)))
				if err != nil {
					b.Fatal(err)
				}
				texts := [2][]byte{} // in turn
				for i := range texts {
					line := fmt.Sprintf("p, role%d, /turn/%d, GET\n", i, i)
					if change == "link" {
						line = fmt.Sprintf("g, ann, role%d\n", i)
					}
					texts[i] = []byte(text[:half] + line + text[half:])
				}
				at := 0
				b.ReportAllocs()
				started := processorTime(b)
				for b.Loop() {
					at++
					fsys["p.csv"] = &fstest.MapFile{Data: texts[at%2]}
					if change == "all" {
						a.current.Load().loaded = &load.Loaded{}
					}
					if err := a.Reload(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(processorTime(b)-started)/float64(b.N)/1e6, "cpu-ms/op")
				runtime.KeepAlive(a)
			})
		}
	}
}

// processorTime returns the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
