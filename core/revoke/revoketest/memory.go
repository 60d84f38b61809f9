package revoketest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/revoke"
)

// Memory is an in-memory [revoke.Log] for tests that can be made to fail. The zero Memory
// is empty.
type Memory struct {
	// Now is the clock by which entries expire; nil for [time.Now].
	Now func() time.Time

	mu      sync.Mutex
	records []revoke.Record
	next    uint64
	down    error
	hints   map[*func()]bool
}

var _ revoke.Log = (*Memory)(nil)

func (m *Memory) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Fail makes every later call return err; nil ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = err
}

// Lose drops the newest n records, like a store that was restored from a backup.
func (m *Memory) Lose(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = m.records[:len(m.records)-n]
	m.next = 0
	if len(m.records) > 0 {
		m.next = m.records[len(m.records)-1].Number
	}
}

// Append implements [revoke.Log].
func (m *Memory) Append(_ context.Context, note string, entries ...revoke.Entry) (revoke.Position, error) {
	if err := revoke.CheckAppend(note, entries); err != nil {
		return revoke.Position{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return revoke.Position{}, m.down
	}
	last := len(m.records)
	for _, e := range entries {
		m.next++
		m.records = append(m.records, revoke.Record{Position: revoke.Position{Number: m.next, Tag: rand.Text()}, Entry: e, Added: m.now(), Note: note})
	}
	m.drop(max(last-1, 0))
	for hint := range m.hints {
		(*hint)()
	}
	return m.records[len(m.records)-1].Position, nil
}

// drop drops those of the first n records that expired more than an hour ago. It does not
// modify what was returned by reads.
func (m *Memory) drop(n int) {
	forgotten := m.now().Add(-time.Hour)
	expired := func(r revoke.Record) bool { return !r.Expires.IsZero() && r.Expires.Before(forgotten) }
	if older := m.records[:n]; slices.ContainsFunc(older, expired) {
		m.records = append(slices.DeleteFunc(slices.Clone(older), expired), m.records[n:]...)
	}
}

// Read implements [revoke.Log].
func (m *Memory) Read(_ context.Context, after revoke.Position, limit int) ([]revoke.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down != nil {
		return nil, m.down
	}
	from := 0
	if after != (revoke.Position{}) {
		i, found := slices.BinarySearchFunc(m.records, after.Number, func(r revoke.Record, n uint64) int { return int(r.Number) - int(n) })
		if !found || m.records[i].Tag != after.Tag {
			return nil, fmt.Errorf("record %d: %w", after.Number, revoke.ErrNoPosition)
		}
		from = i + 1
	}
	return slices.Clone(m.records[from:min(from+limit, len(m.records))]), nil
}

// Listen implements [revoke.Log].
func (m *Memory) Listen(ctx context.Context, hint func()) error {
	m.mu.Lock()
	if m.hints == nil {
		m.hints = map[*func()]bool{}
	}
	m.hints[&hint] = true
	m.mu.Unlock()
	hint()
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.hints, &hint)
	return ctx.Err()
}
