package attempts

import (
	"hash/maphash"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// shards is how many locks a table has, so that requests seldom wait for each
// other.
const shards = 64

// table is a map of bounded size that forgets what was used least recently. It
// is safe for concurrent use.
type table[K comparable, V any] struct {
	// seed is secret: nobody can choose keys that all fall into one shard.
	seed   maphash.Seed
	shards [shards]shard[K, V]
}

type shard[K comparable, V any] struct {
	mu  sync.Mutex
	lru *simplelru.LRU[K, V]
}

// newTable makes a table of at most capacity entries, rounded up to the next
// multiple of shards.
func newTable[K comparable, V any](capacity int) *table[K, V] {
	t := &table[K, V]{seed: maphash.MakeSeed()}
	for i := range t.shards {
		// An error is for sizes below 1 alone.
		t.shards[i].lru, _ = simplelru.NewLRU[K, V]((capacity+shards-1)/shards, nil)
	}
	return t
}

func (t *table[K, V]) shard(key K) *shard[K, V] {
	return &t.shards[maphash.Comparable(t.seed, key)%shards]
}

// get returns the value of key.
func (t *table[K, V]) get(key K) (V, bool) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lru.Get(key)
}

// update replaces the value of key by what f makes of it, or removes it where
// f reports false. No other update of key happens meanwhile. f must be quick
// and not use the table.
func (t *table[K, V]) update(key K, f func(old V, ok bool) (next V, keep bool)) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, ok := s.lru.Peek(key)
	if next, keep := f(old, ok); keep {
		s.lru.Add(key, next)
	} else if ok {
		s.lru.Remove(key)
	}
}

// len is how many entries there are.
func (t *table[K, V]) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.lru.Len()
		s.mu.Unlock()
	}
	return n
}
