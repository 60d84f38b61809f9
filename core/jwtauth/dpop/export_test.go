package dpop

import "time"

// NormalizeURI normalizes htu for comparison.
func NormalizeURI(uri string) (string, error) { return normalizeURI(uri) }

// TargetPath is the path of a request target.
func TargetPath(target string) (string, error) { return targetPath(target) }

// SetClock sets a store's clock.
func SetClock(m *ReplayMemory, now func() time.Time) { m.now = now }

// Held returns the number of stored proofs in both tables.
func Held(m *ReplayMemory) (int, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen), len(m.queue)
}
