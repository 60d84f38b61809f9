package casbinrules

import (
	"hash/maphash"
	"strings"
)

// coverSieve tells, of most rules at once, that no other rule of their group
// matches whatever they do, so that the dear search for such a rule is for few.
// It may suspect too much, and never too little.
type coverSieve struct {
	shape *shape
	seed  maphash.Seed
	slots []sieveSlot // a power of two, at most half full
	cut   []segment   // room for those of one pattern
	keys  []uint64    // room for what one pattern asks for
}

// sieveSlot is where the rules of a group stand whose patterns cover others
// that begin alike. It is free while its key is 0.
type sieveSlot struct {
	key uint64
	// once are the actions of the rules here, by their bits, and twice those
	// that several have.
	once, twice uint32
}

// What a key is of: patterns for everything, those that cover just themselves,
// those that go on with any segment, and those without such.
const (
	sieveAll uint64 = iota
	sieveText
	sieveOpen
	sieveWhole
	sieveSegments
)

func newCoverSieve(sh *shape, rules int) *coverSieve {
	s := &coverSieve{shape: sh, seed: maphash.MakeSeed()}
	size := 8
	for size < 2*rules {
		size *= 2
	}
	s.slots = make([]sieveSlot, size)
	return s
}

// at is the slot of a key, or the free one where it would stand.
func (s *coverSieve) at(key uint64) *sieveSlot {
	last := uint64(len(s.slots) - 1)
	for at := key & last; ; at = (at + 1) & last {
		if slot := &s.slots[at]; slot.key == key || slot.key == 0 {
			return slot
		}
	}
}

// add puts in a rule with a pattern, whose text has a number, and an action.
func (s *coverSieve) add(group, number int32, pattern string, action uint32) {
	own, _ := s.ask(group, number, pattern)
	slot := s.at(own)
	slot.key = own
	slot.twice |= slot.once & action
	slot.once |= action
}

// any reports whether some rule of a group may have a pattern that covers this
// one.
func (s *coverSieve) any(group, number int32, pattern string) bool {
	_, sure := s.ask(group, number, pattern)
	if !sure {
		return true
	}
	for _, key := range s.keys {
		if s.at(key).key != 0 {
			return true
		}
	}
	return false
}

// other is any for a rule that is in the sieve itself: another one, with its
// own action or one of others.
func (s *coverSieve) other(group, number int32, pattern string, action, others uint32) bool {
	own, sure := s.ask(group, number, pattern)
	if !sure {
		return true
	}
	for _, key := range s.keys {
		slot := s.at(key)
		same := slot.once
		if key == own {
			same = slot.twice
		}
		if same&action != 0 || slot.once&others&^action != 0 {
			return true
		}
	}
	return false
}

// ask finds the key that a pattern has, and those of the patterns that may
// cover it, which it leaves in keys. It is not sure of patterns with more
// segments than a search takes.
func (s *coverSieve) ask(group, number int32, pattern string) (own uint64, sure bool) {
	c := s.shape.object
	base := mix(uint64(uint32(group)), sieveSegments)
	all, text := s.key(base, sieveAll), s.key(mix(base, uint64(uint32(number))), sieveText)
	s.keys = append(s.keys[:0], all)
	if c.star && pattern == "*" || everything(c.function, pattern) {
		return all, true
	}
	s.keys = append(s.keys, text)
	if c.function == "keyMatch" && strings.IndexByte(pattern, '*') >= 0 {
		return all, true // which is to suspect too much
	}
	if !hasSegments(c.function) || c.function == "==" {
		return text, true
	}
	segs := appendSegments(s.cut, c.function, pattern)
	if segs == nil {
		return text, true
	}
	s.cut = segs
	return s.askSegments(base, text, segs), len(segs) < maxVisits
}

func (s *coverSieve) askSegments(h, text uint64, segs []segment) (own uint64) {
	for i := range segs {
		open := s.key(h, sieveOpen)
		s.keys = append(s.keys, open)
		if segs[i].kind != segmentLiteral {
			for _, left := range segs[i:] {
				if left.kind == segmentOther {
					return text
				}
			}
			return open
		}
		h = mix(h, maphash.String(s.seed, segs[i].text))
	}
	own = s.key(h, sieveWhole)
	s.keys = append(s.keys, own)
	return own
}

// key is never 0.
func (s *coverSieve) key(h, kind uint64) uint64 { return mix(h, kind) | 1 }
