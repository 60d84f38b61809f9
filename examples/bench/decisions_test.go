package bench

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/bench/engines"
	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// BenchmarkDecision asks every engine about policies of growing size: 64
// questions of each kind, spread over the policy, in turn.
func BenchmarkDecision(b *testing.B) {
	for _, model := range []struct {
		name string
		make func(n int) *policies.Policy
	}{
		{"rbac", policies.Mix},
		{"exact", policies.Exact},
	} {
		slow := map[string]bool{}
		for _, n := range sizesUpTo(10, 100, 1000, 10_000, 100_000, 1_000_000) {
			source := sourceOf(model.make, n)
			for _, kind := range engines.All() {
				if slow[kind.Name] {
					continue
				}
				b.Run(fmt.Sprintf("model=%s/engine=%s/rules=%d", model.name, kind.Name, n), func(b *testing.B) {
					slow[kind.Name] = decide(b, kind, source(), true)
				})
			}
		}
	}
}

// sourceOf makes a policy when an engine first wants it.
func sourceOf(make func(n int) *policies.Policy, n int) func() *engines.Source {
	return sync.OnceValue(func() *engines.Source { return engines.NewSource(make(n)) })
}

// decide measures one engine with one policy, and reports whether larger ones
// would take it too long.
func decide(b *testing.B, kind engines.Kind, source *engines.Source, atOnce bool) (slow bool) {
	e, took := openFor(b, kind, source)
	for _, c := range source.Cases() {
		asks := prepare(e, c.Questions)
		b.Run("case="+c.Name, func(b *testing.B) { askInTurn(b, asks) })
		if atOnce && c.Name == "allow" {
			b.Run("case=parallel", func(b *testing.B) { askAtOnce(b, asks) })
		}
	}
	return took > *tooLong && !kind.Flat
}

// BenchmarkShape asks about policies unlike most, to find where decisions stop
// to take the same time at any size.
func BenchmarkShape(b *testing.B) {
	for _, shape := range policies.Shapes() {
		slow := map[string]bool{}
		for _, n := range sizesUpTo(1000, 10_000, 100_000, 1_000_000) {
			source := sourceOf(shape.Make, n)
			for _, kind := range engines.All()[:2] {
				if slow[kind.Name] {
					continue
				}
				b.Run(fmt.Sprintf("shape=%s/engine=%s/rules=%d", shape.Name, kind.Name, n), func(b *testing.B) {
					slow[kind.Name] = decide(b, kind, source(), false)
				})
			}
		}
	}
}

// BenchmarkStrangers asks about subjects that nobody has heard of, each once,
// and says what an engine remembers of them.
func BenchmarkStrangers(b *testing.B) {
	for _, n := range sizesUpTo(1000, 10_000) {
		source := sourceOf(policies.Mix, n)
		for _, kind := range engines.All() {
			var e engines.Engine
			round := 0
			b.Run(fmt.Sprintf("engine=%s/rules=%d", kind.Name, n), func(b *testing.B) {
				if e == nil {
					e, _ = openFor(b, kind, source())
				}
				var kept int64
				asked := 0
				for b.Loop() {
					round++
					k, n := meetStrangers(b, e, round)
					kept, asked = kept+k, asked+n
				}
				b.ReportMetric(max(0, float64(kept)/float64(asked)), "kept-B/decision")
				b.ReportMetric(float64(asked), "decisions")
			})
		}
	}
}

// meetStrangers asks as many questions as there is time for, and says how much
// larger the heap is than before.
func meetStrangers(b *testing.B, e engines.Engine, round int) (kept int64, asked int) {
	questions := make([]policies.Question, *strangers)
	for i := range questions {
		questions[i] = policies.Question{Subject: fmt.Sprintf("stranger%d-%d", round, i), Object: "/exact3", Action: "GET"}
	}
	asks := prepare(e, questions)
	before := liveHeap()
	for end := time.Now().Add(*window); asked < len(asks) && time.Now().Before(end); asked++ {
		if allowed, err := asks[asked](); allowed || err != nil {
			b.Fatal(allowed, err)
		}
	}
	kept = liveHeap() - before
	runtime.KeepAlive(asks)
	return kept, asked
}
