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
//
// Entries lie in one piece until the table is cloned: a decision by 1,000 rules takes
// 100 ns so, and 107 when each entry is found through its page.
type Table[T any] struct {
	seed  maphash.Seed
	slots Slots
	// flat holds the entries by number in a table that was trimmed, and pages hold
	// them in one that is filled or was made of another. Those that are shared are
	// another table's, too, and so are the slots if there are any shared; later are
	// the slots then of what was added since, of which there are so many.
	flat   []entry[T]
	pages  []*page[T]
	count  int
	shared []bool
	later  Slots
	added  int
}

const (
	pageBits = 7
	pageSize = 1 << pageBits
)

type page[T any] [pageSize]entry[T]

// Slots are the places of a table that finds numbers by hashes: a power of two,
// up to 5/8 full.
type Slots []Slot

// Slot is free while its number is 0.
type Slot struct {
	Hash   uint32
	Number int32
}

// put takes the first free place for a number.
func (s Slots) put(taken Slot) {
	last := len(s) - 1
	at := int(taken.Hash) & last
	for s[at].Number != 0 {
		at = (at + 1) & last
	}
	s[at] = taken
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
	text   string
	parent int32
	of     T
}

// New has room for about so many texts.
func New[T any](room int) Table[T] {
	t := Table[T]{seed: maphash.MakeSeed(), slots: make(Slots, leastSlots(room)), pages: make([]*page[T], 0, room/pageSize+1)}
	t.Reserve()
	return t
}

// Clone is a table that holds the same, which either shares with the other until it
// changes. What it is made of must not change any more.
func (t *Table[T]) Clone() Table[T] {
	made := *t
	if t.flat != nil {
		made.cut()
	} else {
		made.pages = append(make([]*page[T], 0, len(t.pages)+1), t.pages...)
	}
	made.shared = slices.Repeat([]bool{true}, len(made.pages))
	made.later = slices.Clone(t.later)
	if t.added > len(t.slots)/16 {
		made.slots = t.slots.Resized(leastSlots(t.count))
		made.slots.putAll(t.later)
		made.later, made.added = nil, 0
	}
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
			if e := t.entry(s.Number); e.parent == parent && e.text == text {
				return s.Number
			}
		}
	}
	if t.added == 0 {
		return 0
	}
	return t.findLater(hash, parent, text)
}

// findLater is find among the slots of what was added later.
func (t *Table[T]) findLater(hash uint32, parent int32, text string) int32 {
	added := Table[T]{slots: t.later, pages: t.pages}
	return added.find(hash, parent, text)
}

func (t *Table[T]) entry(number int32) *entry[T] {
	if int(number) < len(t.flat) {
		return &t.flat[number]
	}
	return &t.pages[number>>pageBits][number&(pageSize-1)]
}

// cut has the entries be in pages again, which are parts of the one piece but for the
// last.
func (t *Table[T]) cut() {
	whole := t.count >> pageBits
	t.pages = make([]*page[T], 0, whole+2)
	for i := range whole {
		t.pages = append(t.pages, (*page[T])(t.flat[i<<pageBits:]))
	}
	if whole<<pageBits < t.count {
		var last page[T]
		copy(last[:], t.flat[whole<<pageBits:])
		t.pages = append(t.pages, &last)
	}
	t.flat = nil
}

// change is entry for one that is to be changed.
func (t *Table[T]) change(number int32) *entry[T] {
	if at := number >> pageBits; int(at) < len(t.shared) && t.shared[at] {
		own := *t.pages[at]
		t.pages[at], t.shared[at] = &own, false
	}
	return t.entry(number)
}

// Add is the number of a text, a new one when it has none.
func (t *Table[T]) Add(parent int32, text string) (number int32, isNew bool) {
	hash := t.hash(parent, text)
	if number = t.find(hash, parent, text); number != 0 {
		return number, false
	}
	number = t.Reserve()
	e := t.entry(number)
	e.text, e.parent = text, parent
	if t.shared == nil {
		t.slots = t.slots.with(Slot{hash, number}, t.count)
	} else {
		t.added++
		t.later = t.later.with(Slot{hash, number}, t.added)
	}
	return number, true
}

// with has one number more, so many in all.
func (s Slots) with(taken Slot, numbers int) Slots {
	if size := leastSlots(numbers); size > len(s) {
		s = s.Resized(size)
	}
	s.put(taken)
	return s
}

// Reserve gives a number that no text has.
func (t *Table[T]) Reserve() int32 {
	number := int32(t.count)
	if t.flat != nil {
		t.cut()
	}
	if t.count%pageSize == 0 {
		t.pages = append(t.pages, new(page[T]))
	}
	t.count++
	t.change(number)
	return number
}

// Trim gives back the room that is left, if it is much, when all is added that a
// table will hold. One that was made of another stays as it is.
func (t *Table[T]) Trim() {
	if t.shared != nil || t.flat != nil {
		return
	}
	if size := leastSlots(t.count); size < len(t.slots) {
		t.slots = t.slots.Resized(size)
	}
	t.flat = make([]entry[T], t.count)
	for i, p := range t.pages {
		copy(t.flat[i<<pageBits:], p[:])
	}
	t.pages = nil
}

// Numbers is how many numbers there are, with the 0, which is of no text.
func (t *Table[T]) Numbers() int { return t.count }

// Text is the one with a number.
func (t *Table[T]) Text(number int32) string { return t.entry(number).text }

// SetText has a number's text be another copy of it.
func (t *Table[T]) SetText(number int32, text string) { t.change(number).text = text }

// Of is what the table holds of a number. That of 0 is of no text.
func (t *Table[T]) Of(number int32) *T { return &t.entry(number).of }

// Change is Of for what is to be changed, until the next call.
func (t *Table[T]) Change(number int32) *T { return &t.change(number).of }
