package sourcetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/core/source"
)

// Memory is an in-memory [source.Store] for tests. The zero Memory is empty.
type Memory struct {
	mu       sync.Mutex
	contents []*source.Content
	entries  []source.Entry
	hints    map[*func()]bool
}

var _ source.Store = (*Memory)(nil)

// newest returns the newest revision. The lock must be held.
func (m *Memory) newest() source.Revision {
	if len(m.entries) == 0 {
		return 0
	}
	return m.entries[len(m.entries)-1].Revision
}

// Fetch implements [source.Source].
func (m *Memory) Fetch(_ context.Context, known source.State) (source.Fetched, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.entries) == 0 {
		return source.Fetched{}, source.ErrEmpty
	}
	last := len(m.entries) - 1
	got := source.Fetched{State: source.State{Revision: m.entries[last].Revision, Hash: m.entries[last].Hash}}
	if got.State != known {
		got.Content = m.contents[last]
	}
	return got, nil
}

// Listen implements [source.Source].
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

// Publish implements [source.Store].
func (m *Memory) Publish(_ context.Context, p source.Publication) (source.Entry, error) {
	if err := p.Check(); err != nil {
		return source.Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.entries); n > 0 && p.Became(m.entries[n-1]) {
		return m.entries[n-1], nil
	}
	if newest := m.newest(); newest != p.Base {
		return source.Entry{}, &source.ConflictError{Base: p.Base, Newest: newest}
	}
	c, err := source.NewContent(p.Next(), slices.Clone(p.Files))
	if err != nil {
		return source.Entry{}, err
	}
	e := source.Entry{Revision: c.Revision, Published: time.Now(), Hash: c.Hash(), Note: p.Note}
	m.contents, m.entries = append(m.contents, c), append(m.entries, e)
	for hint := range m.hints {
		(*hint)()
	}
	return e, nil
}

// At implements [source.Store].
func (m *Memory) At(_ context.Context, r source.Revision) (*source.Content, source.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, e := range m.entries {
		if e.Revision == r {
			return m.contents[i], e, nil
		}
	}
	return nil, source.Entry{}, fmt.Errorf("revision %d: %w", r, source.ErrNoRevision)
}

// History implements [source.Store].
func (m *Memory) History(_ context.Context, before source.Revision, limit int) ([]source.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []source.Entry
	for _, e := range slices.Backward(m.entries) {
		if len(all) < limit && (before == 0 || e.Revision < before) {
			all = append(all, e)
		}
	}
	return all, nil
}

// Close implements [source.Store]. The store remains usable.
func (m *Memory) Close() error { return nil }
