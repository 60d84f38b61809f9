package revoke_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// many is a log with entries for n tokens and subjects.
type many struct {
	revoketest.Memory
	n int
}

// Read implements [revoke.Log].
func (m *many) Read(_ context.Context, after revoke.Position, limit int) (records []revoke.Record, err error) {
	for i := int(after.Number) + 1; i <= m.n && len(records) < limit; i++ {
		r := revoke.Record{Position: revoke.Position{Number: uint64(i), Tag: "t"}}
		if i%2 == 0 {
			r.ID, r.Issuer = manyID(i), one
		} else {
			r.Subject, r.IssuedBefore = manyID(i), noon
		}
		r.Expires = noon.AddDate(50, 0, 0)
		records = append(records, r)
	}
	return records, nil
}

func manyID(n int) string { return fmt.Sprintf("3f2a9c01-77c0-4d1e-9b1f-%012d", n) }

// TestFollowerSize: a million entries take at most 60 MB, also just after the table
// has grown.
func TestFollowerSize(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it makes a million entries")
	}
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := measure()
	f := follow(t, &many{n: 1_000_000})
	if got := float64(measure()-before) / 1e6; f.Len() != 1_000_000 || got > 60 {
		t.Errorf("%d entries take %.1f MB", f.Len(), got)
	}
	if !isRevoked(t, f, revoke.Token{Issuer: one, ID: manyID(1_000_000)}) {
		t.Error("the last is not known")
	}
}

func BenchmarkFollower(b *testing.B) {
	f := follow(b, &many{n: 1_000_000})
	tokens := make([]revoke.Token, 1<<12)
	for i := range tokens {
		tokens[i] = revoke.Token{Issuer: one, ID: "9" + manyID(i), Subject: "9" + manyID(i), IssuedAt: noon}
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if is, err := f.Revoked(b.Context(), tokens[n%len(tokens)]); is || err != nil {
			b.Fatal(is, err)
		}
	}
}
