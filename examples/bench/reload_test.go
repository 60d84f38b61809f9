package bench

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// reloadEvery is how often the policy is read anew, where that takes less.
const reloadEvery = 100 * time.Millisecond

// BenchmarkReload has every processor ask without pause while the policy is
// reloaded, and says how many answers there were and how long the longest took
// to come.
func BenchmarkReload(b *testing.B) {
	for _, n := range sizesUpTo(1000, 10_000) {
		source := sourceOf(policies.Mix, n)
		for _, kind := range engines.Reloading() {
			var h *hammering
			b.Run(fmt.Sprintf("engine=%s/rules=%d", kind.Name, n), func(b *testing.B) {
				if h == nil {
					h = newHammering(b, kind, source())
				}
				var total hammered
				for b.Loop() {
					total.add(h.run(b))
				}
				seconds := total.lasted.Seconds()
				b.ReportMetric(float64(total.decisions)/seconds, "decisions/s")
				b.ReportMetric(float64(total.reloads)/seconds, "reloads/s")
				b.ReportMetric(float64(total.longest.Nanoseconds()), "stall-ns")
			})
		}
	}
}

// hammering is decisions and reloads at the same time. The clock is read after
// each batch, so that reading it costs little beside fast decisions.
type hammering struct {
	engine engines.Reloader
	asks   []ask
	batch  int
}

func newHammering(b *testing.B, kind engines.Kind, source *engines.Source) *hammering {
	e, took := openFor(b, kind, source)
	h := &hammering{engine: e.(engines.Reloader), asks: prepare(e, source.Allow), batch: 32}
	if took > 100*time.Microsecond {
		h.batch = 1
	}
	return h
}

type hammered struct {
	decisions, reloads int
	lasted             time.Duration
	longest            time.Duration // of a batch, waiting for a processor included
}

func (h *hammered) add(o hammered) {
	h.decisions += o.decisions
	h.reloads += o.reloads
	h.lasted += o.lasted
	h.longest = max(h.longest, o.longest)
}

// run goes on for the window.
func (h *hammering) run(b *testing.B) hammered {
	var stop atomic.Bool
	var running sync.WaitGroup
	parts := make([]hammered, runtime.GOMAXPROCS(0))
	start := time.Now()
	for i := range parts {
		running.Go(func() { parts[i] = h.decide(b, &stop, i) })
	}
	var total hammered
	running.Go(func() { total.reloads = h.reload(b, &stop) })
	time.Sleep(*window)
	stop.Store(true)
	running.Wait()
	for _, p := range parts {
		total.add(p)
	}
	total.lasted = time.Since(start)
	return total
}

func (h *hammering) decide(b *testing.B, stop *atomic.Bool, from int) (got hammered) {
	for i, last := from, time.Now(); !stop.Load(); {
		for range h.batch {
			if allowed, err := h.asks[i%len(h.asks)](); !allowed || err != nil {
				b.Errorf("%v, %v", allowed, err)
				return got
			}
			i++
		}
		now := time.Now()
		got.longest = max(got.longest, now.Sub(last))
		got.decisions += h.batch
		last = now
	}
	return got
}

func (h *hammering) reload(b *testing.B, stop *atomic.Bool) (count int) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for !stop.Load() {
		if err := h.engine.Reload(); err != nil {
			b.Error(err)
			return count
		}
		count++
		<-tick.C
	}
	return count
}
