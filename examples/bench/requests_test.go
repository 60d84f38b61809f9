package bench

import (
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/examples/bench/stacks"
)

// BenchmarkRequest sends requests to apps of all frameworks, with our gates,
// with those of others and with none. What a guard costs is the difference to
// the last.
func BenchmarkRequest(b *testing.B) {
	w := stacks.NewWorld()
	seen, err := w.Allowed(1)
	if err != nil {
		b.Fatal(err)
	}
	unseen := sync.OnceValues(func() ([]string, error) { return w.Allowed(*tokenCount) })
	refused, err := w.Refused()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range stacks.All() {
		b.Run("framework="+s.Framework+"/guard="+s.Guard, func(b *testing.B) {
			c, err := s.Open(w)
			if err != nil {
				b.Fatal(err)
			}
			if s.Guard == stacks.Bare {
				b.Run("case=bare", func(b *testing.B) { call(b, c, seen, 0, 200) })
				return
			}
			b.Run("case=forbidden", func(b *testing.B) { call(b, c, []string{refused}, 0, 403) })
			b.Run("case=missing", func(b *testing.B) { call(b, c, []string{""}, 0, s.Missing) })
			from := 0
			b.Run("case=first", func(b *testing.B) {
				tokens, err := unseen()
				if err != nil {
					b.Fatal(err)
				}
				// Runs go on where the last one ended, so that no cache helps.
				from = call(b, c, tokens, from, 200)
			})
			b.Run("case=cached", func(b *testing.B) { call(b, c, seen, 0, 200) })
		})
	}
}

// call sends a request with each of values in turn, beginning with that at
// from, and returns the place of the next one.
func call(b *testing.B, c stacks.Caller, values []string, from, want int) int {
	stacks.SettlePools()
	b.ReportAllocs()
	i := from
	for b.Loop() {
		if got := c.Call(values[i]); got != want {
			b.Fatalf("status %d, want %d", got, want)
		}
		if i++; i == len(values) {
			i = 0
		}
	}
	return i
}
