package sessionstore

import (
	"sync"
	"time"
)

// sweepEvery is how often a [Memory] looks for what has expired.
const sweepEvery = time.Minute

// Memory is the store of one manager in one process. It answers at once and is
// safe for concurrent use.
type Memory struct {
	now func() time.Time

	mu      sync.RWMutex
	entries map[string]kept
	sweep   time.Time // when to look next
}

type kept struct {
	data    []byte
	expires time.Time
}

// NewMemory makes an empty store.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, entries: map[string]kept{}}
}

// Find is the entry of key that has not expired.
func (m *Memory) Find(key string) ([]byte, bool, error) {
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
func (m *Memory) Commit(key string, data []byte, expires time.Time) error {
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

// Delete removes the entry of key.
func (m *Memory) Delete(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
	return nil
}
