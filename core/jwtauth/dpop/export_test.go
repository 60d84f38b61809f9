package dpop

import "time"

// NormalizeURI is what htu is compared by.
func NormalizeURI(uri string) (string, error) { return normalizeURI(uri) }

// TargetPath is the path of a request target.
func TargetPath(target string) (string, error) { return targetPath(target) }

// SetClock sets a store's clock.
func SetClock(m *ReplayMemory, now func() time.Time) { m.now = now }

// Held is how many proofs a store holds, by both of its books.
func Held(m *ReplayMemory) (int, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.seen), len(m.queue)
}
