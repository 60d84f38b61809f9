//go:build linux

package fleet_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
	"github.com/sallyport-go/sallyport/core/revoke/revoketest"
)

// long is a log of so many tokens, which are made as they are read.
type long struct {
	revoketest.Memory
	entries int
}

// Read implements [revoke.Log].
func (l *long) Read(_ context.Context, after revoke.Position, limit int) (records []revoke.Record, err error) {
	for i := int(after.Number) + 1; i <= l.entries && len(records) < limit; i++ {
		records = append(records, revoke.Record{
			Position: revoke.Position{Number: uint64(i), Tag: "t"},
			Entry:    revoke.Entry{ID: tokenID(i), Expires: time.Now().Add(time.Hour)},
		})
	}
	return records, nil
}

func tokenID(n int) string { return fmt.Sprintf("3f2a9c01-77c0-4d1e-9b1f-%012d", n) }

// measureRevocations is how long it takes to ask for a token that was not revoked, and
// how many bytes so many entries take.
func measureRevocations(t *testing.T, entries int) (check time.Duration, size uint64) {
	t.Helper()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f, err := revoke.Follow(t.Context(), &long{entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size = heap() - before
	if f.Len() != entries {
		t.Fatalf("%d entries, want %d", f.Len(), entries)
	}
	tokens := make([]revoke.Token, 1<<12)
	for i := range tokens {
		tokens[i] = revoke.Token{Issuer: "https://issuer.example", ID: "9" + tokenID(i), Subject: user, IssuedAt: time.Now()}
	}
	const checks = 1_000_000
	began := time.Now()
	for n := range checks {
		if is, err := f.Revoked(t.Context(), tokens[n%len(tokens)]); is || err != nil {
			t.Fatal(is, err)
		}
	}
	return time.Since(began) / checks, size
}
