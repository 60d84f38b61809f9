package attempts

import (
	"hash/maphash"
	"sync"
)

// shards is the number of locks of a table, so that requests rarely wait for each
// other.
const shards = 64

// table is a map of bounded size that evicts the least recently used entry. It is
// safe for concurrent use.
type table[K comparable, V any] struct {
	// seed is secret: nobody can choose keys that all fall into one shard.
	seed   maphash.Seed
	shards [shards]shard[K, V]
}

// shard is a map, and a ring through its entries from the most to the least
// recently used.
type shard[K comparable, V any] struct {
	mu       sync.Mutex
	capacity int
	entries  map[K]*entry[K, V]
	ring     entry[K, V] // next is the most recently used, prev the least
}

type entry[K comparable, V any] struct {
	prev, next *entry[K, V]
	key        K
	value      V
}

// newTable returns a table of at most capacity entries, rounded up to the next
// multiple of shards.
func newTable[K comparable, V any](capacity int) *table[K, V] {
	t := &table[K, V]{seed: maphash.MakeSeed()}
	for i := range t.shards {
		s := &t.shards[i]
		s.capacity = (capacity + shards - 1) / shards
		s.entries = make(map[K]*entry[K, V])
		s.ring.prev, s.ring.next = &s.ring, &s.ring
	}
	return t
}

// used moves an entry, or inserts it, to the front of the ring.
func (s *shard[K, V]) used(e *entry[K, V]) {
	e.leave()
	e.prev, e.next = &s.ring, s.ring.next
	e.prev.next, e.next.prev = e, e
}

// leave removes an entry from the ring, if it is in it.
func (e *entry[K, V]) leave() {
	if e.next != nil {
		e.prev.next, e.next.prev = e.next, e.prev
		e.prev, e.next = nil, nil
	}
}

// add adds an entry for key, which has none. It replaces the least recently used
// entry if the shard is full.
func (s *shard[K, V]) add(key K) *entry[K, V] {
	e := &entry[K, V]{}
	if len(s.entries) >= s.capacity {
		e = s.ring.prev
		delete(s.entries, e.key)
	}
	e.key = key
	s.entries[key] = e
	return e
}

func (t *table[K, V]) shard(key K) *shard[K, V] {
	return &t.shards[maphash.Comparable(t.seed, key)%shards]
}

// get returns the value of key.
func (t *table[K, V]) get(key K) (V, bool) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		var none V
		return none, false
	}
	s.used(e)
	return e.value, true
}

// update replaces the value of key with the result of f, or removes it if f returns
// false. No other update of key happens meanwhile. f must be fast and not use the
// table.
func (t *table[K, V]) update(key K, f func(old V, ok bool) (next V, keep bool)) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	var old V
	if ok {
		old = e.value
	}
	next, keep := f(old, ok)
	if !keep {
		if ok {
			e.leave()
			delete(s.entries, key)
		}
		return
	}
	if !ok {
		e = s.add(key)
	}
	e.value = next
	s.used(e)
}

// capacity returns the maximum number of entries.
func (t *table[K, V]) capacity() int { return shards * t.shards[0].capacity }

// len returns the number of entries.
func (t *table[K, V]) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.entries)
		s.mu.Unlock()
	}
	return n
}
