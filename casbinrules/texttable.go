package casbinrules

import (
	"hash/maphash"
	"slices"
)

// textTable numbers texts below a parent, from 1 on, in the order they are added,
// and holds something of each. It is filled while a policy is loaded and only
// read after that. A look-up costs the hash of the text and, mostly, one
// comparison, however much the table holds; the seed keeps clients from choosing
// texts that share a place.
type textTable[T any] struct {
	seed    maphash.Seed
	slots   slots
	entries []tableEntry[T] // by number
}

// slots are the places of a table that finds numbers by hashes: a power of two,
// up to 5/8 full.
type slots []slot

// slot is free while its number is 0.
type slot struct {
	hash   uint32
	number int32
}

// leastSlots are as many as so many numbers need.
func leastSlots(numbers int) int {
	size := 8
	for size*5/8 < numbers {
		size *= 2
	}
	return size
}

// resized are so many slots that hold the same.
func (s slots) resized(size int) slots {
	made := make(slots, size)
	last := size - 1
	for _, taken := range s {
		if taken.number == 0 {
			continue
		}
		at := int(taken.hash) & last
		for made[at].number != 0 {
			at = (at + 1) & last
		}
		made[at] = taken
	}
	return made
}

type tableEntry[T any] struct {
	text   string
	parent int32
	of     T
}

// newTextTable has room for about so many texts.
func newTextTable[T any](room int) textTable[T] {
	t := textTable[T]{seed: maphash.MakeSeed(), entries: make([]tableEntry[T], 1, room+1)}
	t.slots = make(slots, leastSlots(room))
	return t
}

// hash spreads parents over all places, as the same text often stands below
// many.
func (t *textTable[T]) hash(parent int32, text string) uint32 {
	const spread = 0x9e3779b97f4a7c15
	return uint32((maphash.String(t.seed, text) ^ uint64(uint32(parent))*spread) >> 32)
}

// find is the number of a text, or 0.
func (t *textTable[T]) find(parent int32, text string) int32 {
	return t.slots[t.place(t.hash(parent, text), parent, text)].number
}

// place is where a text stands, or the free slot where it would.
func (t *textTable[T]) place(hash uint32, parent int32, text string) int {
	last := len(t.slots) - 1
	at := int(hash) & last
	for {
		s := &t.slots[at]
		if s.number == 0 {
			return at
		}
		if s.hash == hash {
			if e := &t.entries[s.number]; e.parent == parent && e.text == text {
				return at
			}
		}
		at = (at + 1) & last
	}
}

// add is the number of a text, a new one when it has none.
func (t *textTable[T]) add(parent int32, text string) (number int32, isNew bool) {
	hash := t.hash(parent, text)
	at := t.place(hash, parent, text)
	if number = t.slots[at].number; number != 0 {
		return number, false
	}
	number = t.reserve()
	t.entries[number].text, t.entries[number].parent = text, parent
	t.slots[at] = slot{hash, number}
	if len(t.entries) > len(t.slots)*5/8 {
		t.slots = t.slots.resized(2 * len(t.slots))
	}
	return number, true
}

// reserve gives a number that no text has.
func (t *textTable[T]) reserve() int32 {
	if len(t.entries) == cap(t.entries) {
		t.entries = slices.Grow(t.entries, len(t.entries)) // append would grow it by less, and so more often
	}
	t.entries = append(t.entries, tableEntry[T]{})
	return int32(len(t.entries)) - 1
}

// trim gives back the room that is left, if it is much.
func (t *textTable[T]) trim() {
	n := len(t.entries)
	if cap(t.entries)-n > n/8 {
		t.entries = append(make([]tableEntry[T], 0, n), t.entries...)
	}
	if size := leastSlots(n); size < len(t.slots) {
		t.slots = t.slots.resized(size)
	}
}

// of is what the table holds of a number, until one is added. That of 0 is of
// no text.
func (t *textTable[T]) of(number int32) *T { return &t.entries[number].of }
