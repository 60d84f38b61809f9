package session

import (
	"sync"
	"time"
)

// sweepEvery is how often a memory looks for what has expired.
const sweepEvery = time.Minute

// memory is the store of one manager in one process. It answers at once and is
// safe for concurrent use.
type memory struct {
	now func() time.Time

	mu      sync.RWMutex
	entries map[string]kept
	sweep   time.Time // when to look next
}

type kept struct {
	data    []byte
	expires time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, entries: map[string]kept{}}
}

func (m *memory) Find(key string) ([]byte, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.entries[key]
	if !ok || !m.now().Before(e.expires) {
		return nil, false, nil
	}
	return e.data, true, nil
}

// Commit keeps data, and drops what has expired once in a while: it takes a
// login, or a session in use, for a session to have expired at all.
func (m *memory) Commit(key string, data []byte, expires time.Time) error {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !now.Before(m.sweep) {
		m.sweep = now.Add(sweepEvery)
		for key, e := range m.entries {
			if !now.Before(e.expires) {
				delete(m.entries, key)
			}
		}
	}
	m.entries[key] = kept{data, expires}
	return nil
}

func (m *memory) Delete(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	return nil
}
