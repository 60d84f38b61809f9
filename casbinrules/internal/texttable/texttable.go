// Package texttable numbers texts in flat tables.
//
// Maps in their place made the load of a policy of 200,000 lines between 1.3 and
// 2 times as long. At a decision they cost the same.
package texttable

import (
	"hash/maphash"
	"slices"
)

// Mix goes on with a hash by one number more.
func Mix(h, n uint64) uint64 {
	h = (h ^ n) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// Table numbers texts below a parent, from 1 on, in the order they are added,
// and holds something of each. It is filled while a policy is loaded and only
// read after that. A look-up costs the hash of the text and, mostly, one
// comparison, however much the table holds; the seed keeps clients from choosing
// texts that share a place.
type Table[T any] struct {
	seed    maphash.Seed
	slots   Slots
	Entries []entry[T] // by number
}

// Slots are the places of a table that finds numbers by hashes: a power of two,
// up to 5/8 full.
type Slots []Slot

// Slot is free while its number is 0.
type Slot struct {
	Hash   uint32
	Number int32
}

// leastSlots are as many as so many numbers need.
func leastSlots(numbers int) int {
	size := 8
	for size*5/8 < numbers {
		size *= 2
	}
	return size
}

// Resized are so many slots that hold the same.
func (s Slots) Resized(size int) Slots {
	made := make(Slots, size)
	last := size - 1
	for _, taken := range s {
		if taken.Number == 0 {
			continue
		}
		at := int(taken.Hash) & last
		for made[at].Number != 0 {
			at = (at + 1) & last
		}
		made[at] = taken
	}
	return made
}

type entry[T any] struct {
	Text   string
	parent int32
	of     T
}

// New has room for about so many texts.
func New[T any](room int) Table[T] {
	t := Table[T]{seed: maphash.MakeSeed(), Entries: make([]entry[T], 1, room+1)}
	t.slots = make(Slots, leastSlots(room))
	return t
}

// Clone is a table that holds the same, with room for about so many texts more.
func (t *Table[T]) Clone(room int) Table[T] {
	made := *t
	made.slots = slices.Clone(t.slots)
	made.Entries = append(make([]entry[T], 0, len(t.Entries)+room), t.Entries...)
	return made
}

// hash spreads parents over all places, as the same text often stands below
// many.
func (t *Table[T]) hash(parent int32, text string) uint32 {
	const spread = 0x9e3779b97f4a7c15
	return uint32((maphash.String(t.seed, text) ^ uint64(uint32(parent))*spread) >> 32)
}

// Find is the number of a text, or 0.
func (t *Table[T]) Find(parent int32, text string) int32 {
	return t.slots[t.place(t.hash(parent, text), parent, text)].Number
}

// place is where a text stands, or the free slot where it would.
func (t *Table[T]) place(hash uint32, parent int32, text string) int {
	last := len(t.slots) - 1
	at := int(hash) & last
	for {
		s := &t.slots[at]
		if s.Number == 0 {
			return at
		}
		if s.Hash == hash {
			if e := &t.Entries[s.Number]; e.parent == parent && e.Text == text {
				return at
			}
		}
		at = (at + 1) & last
	}
}

// Add is the number of a text, a new one when it has none.
func (t *Table[T]) Add(parent int32, text string) (number int32, isNew bool) {
	hash := t.hash(parent, text)
	at := t.place(hash, parent, text)
	if number = t.slots[at].Number; number != 0 {
		return number, false
	}
	number = t.Reserve()
	t.Entries[number].Text, t.Entries[number].parent = text, parent
	t.slots[at] = Slot{hash, number}
	if len(t.Entries) > len(t.slots)*5/8 {
		t.slots = t.slots.Resized(2 * len(t.slots))
	}
	return number, true
}

// Reserve gives a number that no text has.
func (t *Table[T]) Reserve() int32 {
	if len(t.Entries) == cap(t.Entries) {
		t.Entries = slices.Grow(t.Entries, len(t.Entries)) // append would grow it by less, and so more often
	}
	t.Entries = append(t.Entries, entry[T]{})
	return int32(len(t.Entries)) - 1
}

// Trim gives back the room that is left, if it is much.
func (t *Table[T]) Trim() {
	n := len(t.Entries)
	if cap(t.Entries)-n > n/8 {
		t.Entries = append(make([]entry[T], 0, n), t.Entries...)
	}
	if size := leastSlots(n); size < len(t.slots) {
		t.slots = t.slots.Resized(size)
	}
}

// Of is what the table holds of a number, until one is added. That of 0 is of
// no text.
func (t *Table[T]) Of(number int32) *T { return &t.Entries[number].of }
