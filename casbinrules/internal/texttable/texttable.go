// Package texttable numbers texts in flat tables.
//
// With maps instead, loading a policy of 200,000 lines took 1.3 to 2 times as long. At a
// decision they cost the same.
package texttable

import (
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// Mix adds a number to a hash.
func Mix(h, n uint64) uint64 {
	h = (h ^ n) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// Table numbers texts below a parent, from 1, in the order in which they are added,
// and holds a value for each. It is filled while a policy is loaded, and only read
// after that. A lookup costs the hash of the text and usually one comparison,
// however many texts there are; the seed keeps clients from choosing texts that
// collide.
//
// Entries have no pointers, so that the garbage collector does not look at them: with
// a string in each, it has 25 MB to look at in an application whose policy has 100,000
// rules and as many role links, and 14 MB without.
type Table[T any] struct {
	seed  maphash.Seed
	slots Slots
	// pages hold the entries by number. Those marked as shared also belong to another
	// table, and so do the slots if any page is shared; later then holds the slots of
	// texts added since, and added is their number.
	pages  []*page[T]
	count  int
	shared []bool
	later  Slots
	added  int
	texts  slab
}

const (
	pageBits = 7
	pageSize = 1 << pageBits
)

type page[T any] [pageSize]entry[T]

// Slots are the slots of a hash table that finds numbers: a power of two, at most
// 5/8 full.
type Slots []Slot

// Slot is free if its number is 0.
type Slot struct {
	Hash   uint32
	Number int32
}

// put stores a number in the first free slot.
func (s Slots) put(taken Slot) {
	last := len(s) - 1
	at := int(taken.Hash) & last
	for s[at].Number != 0 {
		at = (at + 1) & last
	}
	s[at] = taken
}

// leastSlots returns how many slots are needed for so many numbers.
func leastSlots(numbers int) int {
	size := 8
	for size*5/8 < numbers {
		size *= 2
	}
	return size
}

// Resized returns size slots with the same content.
func (s Slots) Resized(size int) Slots {
	made := make(Slots, size)
	made.putAll(s)
	return made
}

func (s Slots) putAll(other Slots) {
	for _, taken := range other {
		if taken.Number != 0 {
			s.put(taken)
		}
	}
}

type entry[T any] struct {
	text   place
	parent int32
	of     T
}

// slab holds copies of texts, many in one chunk of memory. Only the last chunk grows.
type slab struct {
	chunks []string
	last   *strings.Builder // behind a pointer, since a table may be moved
}

// place says where a text is. One whose size does not fit has a chunk of its own, and
// size whole.
type place struct {
	chunk       uint32
	first, size uint16
}

const whole = math.MaxUint16

// The sizes of chunks in bytes.
const (
	minChunk = 1 << 8
	maxChunk = 1 << 16
)

func (s *slab) at(p place) string {
	chunk := s.chunks[p.chunk]
	if p.size == whole {
		return chunk
	}
	return chunk[p.first:][:p.size]
}

func (s *slab) add(text string) place {
	if s.last.Len()+len(text) >= min(s.last.Cap(), maxChunk) {
		size := max(len(text)+1, min(maxChunk, max(minChunk, 2*s.last.Cap())))
		s.last.Reset() // its content stays in use
		s.last.Grow(size)
		s.chunks = append(s.chunks, "")
	}
	p := place{uint32(len(s.chunks) - 1), uint16(s.last.Len()), uint16(min(len(text), whole))}
	s.last.WriteString(text)
	s.chunks[p.chunk] = s.last.String()
	return p
}

// New returns a table with room for about so many texts.
func New[T any](room int) Table[T] {
	t := Table[T]{seed: maphash.MakeSeed(), slots: make(Slots, leastSlots(room)), pages: make([]*page[T], 0, room/pageSize+1), texts: slab{last: new(strings.Builder)}}
	t.Reserve()
	return t
}

// Clone returns a table with the same content, which the two share until one changes. The
// original must not change any more.
func (t *Table[T]) Clone() Table[T] {
	made := *t
	made.texts = slab{slices.Clip(t.texts.chunks), new(strings.Builder)}
	made.pages = append(make([]*page[T], 0, len(t.pages)+1), t.pages...)
	made.shared = slices.Repeat([]bool{true}, len(made.pages))
	made.later = slices.Clone(t.later)
	if t.added > len(t.slots)/16 {
		made.slots = t.slots.Resized(leastSlots(t.count))
		made.slots.putAll(t.later)
		made.later, made.added = nil, 0
	}
	return made
}

// hash includes the parent, since the same text often occurs below many.
func (t *Table[T]) hash(parent int32, text string) uint32 {
	const spread = 0x9e3779b97f4a7c15
	return uint32((maphash.String(t.seed, text) ^ uint64(uint32(parent))*spread) >> 32)
}

// Find returns the number of a text, or 0.
func (t *Table[T]) Find(parent int32, text string) int32 {
	return t.find(t.hash(parent, text), parent, text)
}

func (t *Table[T]) find(hash uint32, parent int32, text string) int32 {
	slots := t.slots
	for at := int(hash); ; at++ {
		s := slots[at&(len(slots)-1)]
		if s.Number == 0 {
			break
		}
		if s.Hash == hash {
			if e := t.entry(s.Number); e.parent == parent && t.texts.at(e.text) == text {
				return s.Number
			}
		}
	}
	if t.added == 0 {
		return 0
	}
	return t.findLater(hash, parent, text)
}

// Probe reports whether the hash of a text is that of one in the table, and returns it
// for FindHashed.
func (t *Table[T]) Probe(parent int32, text string) (hash uint32, ok bool) {
	hash = t.hash(parent, text)
	return hash, t.slots.have(hash) || t.added > 0 && t.later.have(hash)
}

// FindHashed is Find for a text whose hash is known.
func (t *Table[T]) FindHashed(hash uint32, parent int32, text string) int32 {
	return t.find(hash, parent, text)
}

// have reports whether a number has a hash.
func (s Slots) have(hash uint32) bool {
	for at := int(hash); ; at++ {
		if taken := s[at&(len(s)-1)]; taken.Number == 0 || taken.Hash == hash {
			return taken.Number != 0
		}
	}
}

// findLater is Find among the slots that were added later.
func (t *Table[T]) findLater(hash uint32, parent int32, text string) int32 {
	added := Table[T]{slots: t.later, pages: t.pages, texts: slab{chunks: t.texts.chunks}}
	return added.find(hash, parent, text)
}

func (t *Table[T]) entry(number int32) *entry[T] {
	return &t.pages[number>>pageBits][number&(pageSize-1)]
}

// change returns an entry that is to be changed.
func (t *Table[T]) change(number int32) *entry[T] {
	if at := number >> pageBits; int(at) < len(t.shared) && t.shared[at] {
		own := *t.pages[at]
		t.pages[at], t.shared[at] = &own, false
	}
	return t.entry(number)
}

// Add returns the number of a text, a new one if it has none. It keeps a copy.
func (t *Table[T]) Add(parent int32, text string) (number int32, isNew bool) {
	hash := t.hash(parent, text)
	if number = t.find(hash, parent, text); number != 0 {
		return number, false
	}
	number = t.Reserve()
	e := t.entry(number)
	e.text, e.parent = t.texts.add(text), parent
	if t.shared == nil {
		t.slots = t.slots.with(Slot{hash, number}, t.count)
	} else {
		t.added++
		t.later = t.later.with(Slot{hash, number}, t.added)
	}
	return number, true
}

// with adds a number; numbers is the total then.
func (s Slots) with(taken Slot, numbers int) Slots {
	if size := leastSlots(numbers); size > len(s) {
		s = s.Resized(size)
	}
	s.put(taken)
	return s
}

// Reserve returns a number that no text has.
func (t *Table[T]) Reserve() int32 {
	number := int32(t.count)
	if t.count%pageSize == 0 {
		t.pages = append(t.pages, new(page[T]))
	}
	t.count++
	t.change(number)
	return number
}

// Trim frees unused memory, if there is much, once everything was added. It does
// nothing to a table that was made from another.
func (t *Table[T]) Trim() {
	if t.shared != nil {
		return
	}
	if size := leastSlots(t.count); size < len(t.slots) {
		t.slots = t.slots.Resized(size)
	}
}

// Numbers returns how many numbers there are, including 0, which has no text.
func (t *Table[T]) Numbers() int { return t.count }

// Text returns the text with a number.
func (t *Table[T]) Text(number int32) string { return t.texts.at(t.entry(number).text) }

// Of returns the value for a number. That for 0 belongs to no text.
func (t *Table[T]) Of(number int32) *T { return &t.entry(number).of }

// Change is Of for a value to be changed; it is valid until the next call.
func (t *Table[T]) Change(number int32) *T { return &t.change(number).of }
