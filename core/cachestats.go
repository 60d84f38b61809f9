package core

// CacheStats is what a cache of credentials has done since it was made, for metrics.
type CacheStats struct {
	// Hits are look-ups that were answered from the cache, Misses those that were
	// not, so that a password was hashed, a signature verified or a server asked.
	Hits, Misses uint64
	// Entries is how many there are, some of which may have expired.
	Entries int
}
