package core

// CacheStats counts what a credential cache has done since it was created, for
// metrics.
type CacheStats struct {
	// Hits counts lookups answered from the cache. Misses counts the others, each
	// of which hashed a password, verified a signature or asked a server.
	Hits, Misses uint64
	// Entries is the current number of entries, including expired ones.
	Entries int
}
