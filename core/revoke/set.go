package revoke

import (
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// set holds entries as keyed hashes of 96 bits, in about 50 bytes each however long
// their texts are. Reading takes no lock. It never misses an entry; the chance that it
// takes a token for another one is less than one in 10^20.
//
// Two entries for the same token, subject or issuer are stored as one with the later of
// both times. The tokens that it revokes in addition had expired according to one of the
// two entries.
type set struct {
	max   int
	clock *clock
	seeds [2]maphash.Seed

	slots atomic.Pointer[slots]
	kinds atomic.Uint32 // bits of kind.bit, for the kinds that have entries
	size  atomic.Int64

	mu    sync.Mutex // of writers
	swept time.Time  // by clock, which may go back
}

// kind is what an entry is about.
type kind uint8

const (
	ofID kind = iota
	ofSubject
	ofAll
)

// bit returns the bit of entries for one issuer, or for any.
func (k kind) bit(issuer string) uint32 {
	if issuer == "" {
		return 1 << (2 * k)
	}
	return 2 << (2 * k)
}

// slots is a hash table with linear probing. For a token without an entry, as most are,
// the filter alone usually tells; it has one byte for each entry, so it stays in a
// processor's cache.
type slots struct {
	filter []atomic.Uint64 // each hash sets four bits in one of them
	hashes []atomic.Uint64 // 0 for a free one
	spans  []packedSpan
}

// packedSpan is the content of an entry. It is written before its hash, and its times
// only grow after that.
type packedSpan struct {
	before  atomic.Int64  // in nanoseconds since 1970
	expires atomic.Uint32 // in seconds since 1970, 0 for never
	check   uint32        // more bits of the hash
}

const (
	minSlots = 64
	// At most fullSlots of slotParts of the slots of a table are in use, and two thirds
	// of that once it was rebuilt.
	fullSlots, slotParts = 7, 10
	// slotsOfWord is the number of slots for each word of the filter.
	slotsOfWord = 16
)

func newSet(most int, now func() time.Time) *set {
	s := &set{max: most, clock: newClock(now), seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	s.slots.Store(newSlots(0))
	return s
}

// limit changes the maximum number of entries; there may be more already.
func (s *set) limit(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.max = most
}

// newSlots returns a table for n entries and half as many more.
func newSlots(n int) *slots {
	room := max(minSlots, n*slotParts/fullSlots*3/2)
	return &slots{make([]atomic.Uint64, room/slotsOfWord), make([]atomic.Uint64, room), make([]packedSpan, room)}
}

// word returns the word of the filter that has the bits of a hash, and those bits.
func (t *slots) word(hash uint64) (word *atomic.Uint64, bit uint64) {
	high, _ := bits.Mul64(hash, uint64(len(t.filter)))
	return &t.filter[high], 1<<(hash&63) | 1<<(hash>>6&63) | 1<<(hash>>12&63) | 1<<(hash>>18&63)
}

// put fills a free slot, which can be found from then on.
func (t *slots) put(i int, hash uint64, check uint32, before int64, expires uint32) {
	p := &t.spans[i]
	p.check = check
	p.before.Store(before)
	p.expires.Store(expires)
	word, bit := t.word(hash)
	word.Or(bit)
	t.hashes[i].Store(hash)
}

// find returns the slot of a hash, or the free one where it would be.
func (t *slots) find(hash uint64, same func(*packedSpan) bool) (i int, found bool) {
	high, _ := bits.Mul64(hash, uint64(len(t.hashes)))
	for i = int(high); ; {
		switch t.hashes[i].Load() {
		case 0:
			return i, false
		case hash:
			if same(&t.spans[i]) {
				return i, true
			}
		}
		if i++; i == len(t.hashes) {
			i = 0
		}
	}
}

// hash returns the hash of a kind, an issuer and a value, by one of the seeds.
func (s *set) hash(seed int, k kind, issuer, value string) uint64 {
	hi, lo := bits.Mul64(maphash.String(s.seeds[seed], value)+uint64(k)*0x9e3779b97f4a7c15, maphash.String(s.seeds[seed], issuer)|1)
	return max(hi^lo, 1) // 0 marks a free slot
}

// has reports whether an entry revokes a token.
func (s *set) has(t *Token, now func() time.Time) bool {
	kinds := s.kinds.Load()
	if kinds == 0 {
		return false
	}
	table := s.slots.Load()
	return t.ID != "" && s.revokes(table, kinds, ofID, t.ID, t, now) ||
		t.Subject != "" && s.revokes(table, kinds, ofSubject, t.Subject, t, now) ||
		s.revokes(table, kinds, ofAll, "", t, now)
}

func (s *set) revokes(table *slots, kinds uint32, k kind, value string, t *Token, now func() time.Time) bool {
	return kinds&k.bit("") != 0 && s.covers(table, k, "", value, t, now) ||
		t.Issuer != "" && kinds&k.bit(t.Issuer) != 0 && s.covers(table, k, t.Issuer, value, t, now)
}

// covers reports whether there is an entry of that kind, issuer and value that revokes t.
func (s *set) covers(table *slots, k kind, issuer, value string, t *Token, now func() time.Time) bool {
	hash := s.hash(0, k, issuer, value)
	if word, bit := table.word(hash); word.Load()&bit != bit {
		return false
	}
	i, found := table.find(hash, func(p *packedSpan) bool {
		return p.check == uint32(s.hash(1, k, issuer, value))
	})
	if !found {
		return false
	}
	p := &table.spans[i]
	return p.alive(now()) && (k == ofID || packBefore(t.IssuedAt) <= p.before.Load())
}

func (p *packedSpan) alive(now time.Time) bool {
	until := p.expires.Load()
	return until == 0 || now.Unix() < int64(until)
}

// packBefore returns a time in nanoseconds, or the nearest that can be represented.
func packBefore(t time.Time) int64 {
	switch year := t.Year(); {
	case year < 1679:
		return math.MinInt64
	case year > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// packExpires returns a time in seconds, rounded up, and 0 for never or too late.
func packExpires(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	n := t.Unix()
	if t.Nanosecond() > 0 {
		n++
	}
	if n > math.MaxUint32 {
		return 0
	}
	return uint32(max(n, 1))
}

// add adds a valid entry. The error is ErrFull. An expired entry changes nothing.
func (s *set) add(e *Entry) error {
	now := s.clock.forgets()
	if !alive(e.Expires, now) {
		return nil
	}
	k, value := ofAll, ""
	switch {
	case e.ID != "":
		k, value = ofID, e.ID
	case e.Subject != "":
		k, value = ofSubject, e.Subject
	}
	hash, check := s.hash(0, k, e.Issuer, value), uint32(s.hash(1, k, e.Issuer, value))
	same := func(p *packedSpan) bool { return p.check == check }
	s.mu.Lock()
	defer s.mu.Unlock()
	table := s.slots.Load()
	i, found := table.find(hash, same)
	if found {
		table.spans[i].extend(e)
		return nil
	}
	size := int(s.size.Load())
	if full := size >= s.max; full && now.Sub(s.swept).Abs() >= sweepEvery || (size+1)*slotParts > len(table.hashes)*fullSlots {
		s.rebuild(now)
		size, table = int(s.size.Load()), s.slots.Load()
		i, _ = table.find(hash, same)
	}
	if size >= s.max {
		return fmt.Errorf("%w: more than %d entries", ErrFull, s.max)
	}
	s.kinds.Or(k.bit(e.Issuer))
	table.put(i, hash, check, packBefore(e.IssuedBefore), packExpires(e.Expires))
	s.size.Add(1)
	return nil
}

// extend makes an entry revoke what e does, too.
func (p *packedSpan) extend(e *Entry) {
	p.before.Store(max(p.before.Load(), packBefore(e.IssuedBefore)))
	if until := packExpires(e.Expires); until == 0 || p.expires.Load() == 0 {
		p.expires.Store(0)
	} else {
		p.expires.Store(max(p.expires.Load(), until))
	}
}

// rebuild replaces the table by one without expired entries. The lock must be held.
func (s *set) rebuild(now time.Time) {
	s.swept = now
	old, living := s.slots.Load(), 0
	for i := range old.hashes {
		if old.hashes[i].Load() != 0 && old.spans[i].alive(now) {
			living++
		}
	}
	table := newSlots(living)
	for i := range old.hashes {
		hash, p := old.hashes[i].Load(), &old.spans[i]
		if hash == 0 || !p.alive(now) {
			continue
		}
		to, _ := table.find(hash, func(q *packedSpan) bool { return q.check == p.check })
		table.put(to, hash, p.check, p.before.Load(), p.expires.Load())
	}
	s.slots.Store(table)
	s.size.Store(int64(living))
}

// sweep frees the memory of expired entries if they are more than a quarter of all. It
// checks that once a minute.
func (s *set) sweep() {
	now := s.clock.forgets()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept).Abs() < sweepEvery {
		return
	}
	s.swept = now
	table, dead := s.slots.Load(), 0
	for i := range table.hashes {
		if !table.spans[i].alive(now) { // a free one has no end
			dead++
		}
	}
	if 4*dead > int(s.size.Load()) {
		s.rebuild(now)
	}
}
