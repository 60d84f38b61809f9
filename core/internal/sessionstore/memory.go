package sessionstore

import (
	"sync"
	"time"
)

// sweepEvery is the interval at which a [Memory] removes expired entries.
const sweepEvery = time.Minute

// Memory is the in-process store of one manager. It never blocks and is safe for concurrent
// use.
type Memory struct {
	now func() time.Time

	mu      sync.RWMutex
	entries map[string]kept
	sweep   time.Time // time of the next sweep
}

type kept struct {
	data    []byte
	expires time.Time
}

// NewMemory returns an empty store.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, entries: map[string]kept{}}
}

// Find returns the entry of key unless it has expired.
func (m *Memory) Find(key string) ([]byte, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e, ok := m.entries[key]
	if !ok || !m.now().Before(e.expires) {
		return nil, false, nil
	}
	return e.data, true, nil
}

// Commit stores data, and occasionally removes expired entries: without commits, which
// logins and active sessions cause, no new entries expire.
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
