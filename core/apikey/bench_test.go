package apikey

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// F02: what a refusal costs for an ID that is unknown and for a secret that is
// wrong. Attempts alternate, so that both meet the same machine; overlap is
// the share of the two distributions, in 100 slices of equal count, that they
// have in common.
func BenchmarkUnknownBesideWrong(b *testing.B) {
	const keys = 1000
	var file strings.Builder
	var known, unknown []string
	for range keys {
		key, k := made(b, nil)
		file.WriteString(k.info.section())
		known = append(known, forge(key, 'a'))
		stranger, _ := made(b, nil)
		unknown = append(unknown, stranger)
	}
	a, ctx := mustNew(b, load(b, file.String())), b.Context()
	requests := [2][]*request{}
	for i := range keys {
		requests[0] = append(requests[0], with(unknown[i]))
		requests[1] = append(requests[1], with(known[i]))
	}
	// One reading is of 64 attempts, since the clock is coarser than one.
	const reading = 64
	var took [2][]float64
	i := 0
	for b.Loop() {
		for k := range took {
			kind := (k + i/reading) % len(took) // each goes first as often
			start := time.Now()
			for n := range reading {
				if _, err := a.Authenticate(ctx, requests[kind][(i+n)%keys]); err == nil {
					b.Fatal("let in")
				}
			}
			took[kind] = append(took[kind], float64(time.Since(start))/reading)
		}
		i += reading
	}
	for kind, name := range []string{"unknown", "wrong"} {
		slices.Sort(took[kind])
		n := len(took[kind])
		b.ReportMetric(took[kind][n/10], name+"-p10-ns")
		b.ReportMetric(took[kind][n/2], name+"-p50-ns")
		b.ReportMetric(took[kind][n*9/10], name+"-p90-ns")
	}
	b.ReportMetric(100*overlap(took[0], took[1]), "overlap-%")
	b.ReportMetric(0, "ns/op")
}

// overlap is what two sorted samples of one size share, from 0 to 1.
func overlap(x, y []float64) float64 {
	all := slices.Concat(x, y)
	slices.Sort(all)
	count := func(sample []float64, below float64) float64 {
		n, _ := slices.BinarySearch(sample, below)
		return float64(n) / float64(len(sample))
	}
	const slicesOf = 100
	shared, lastX, lastY := 0.0, 0.0, 0.0
	for i := 1; i <= slicesOf; i++ {
		toX, toY := 1.0, 1.0
		if i < slicesOf {
			edge := all[i*len(all)/slicesOf]
			toX, toY = count(x, edge), count(y, edge)
		}
		shared += min(toX-lastX, toY-lastY)
		lastX, lastY = toX, toY
	}
	return shared
}

// What a request with a good key costs.
func BenchmarkAuthenticate(b *testing.B) {
	key, k := made(b, nil)
	a, ctx, r := mustNew(b, storeOf(k)), b.Context(), with(key)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

// What a reload costs.
func BenchmarkLoad(b *testing.B) {
	for _, keys := range []int{10, 10_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			var text strings.Builder
			for range keys {
				_, k := made(b, func(i *Info) { i.Roles, i.Created = []string{"editor", "viewer"}, noon })
				text.WriteString(k.info.section())
			}
			f, data := new(File), []byte(text.String())
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Load("keys", data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
