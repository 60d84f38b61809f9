package lint

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// coverSieve tells, of most rules at once, that no other rule of their group
// matches whatever they do, so that the dear search for such a rule is for few.
// It may suspect too much, and never too little.
type coverSieve struct {
	shape *shape
	seed  maphash.Seed
	slots []sieveSlot // a power of two, at most half full
	// kinds are what there is in each group, by bits, so that the rest need not
	// be looked for.
	kinds []uint32
	cut   []pattern.Segment // room for those of one pattern
	// keys is room for what one pattern asks for, of the kinds wanted.
	keys   []uint64
	wanted uint32
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
// those of plain segments alone, and by how many of these stand in front of the
// first other one, those that end in a star and those that do not.
const (
	sieveAll     = 0
	sieveText    = 1
	sieveWhole   = 2
	sieveRest    = 3
	sieveEnding  = sieveRest + sieveDeepest + 1
	sieveDeepest = 13 // and what is deeper
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
	for at := key >> 1 & last; ; at = (at + 1) & last {
		if slot := &s.slots[at]; slot.key == key || slot.key == 0 {
			return slot
		}
	}
}

// add puts in a rule with a pattern, whose text has a number, and an action.
func (s *coverSieve) add(group, number int32, pattern string, action uint32) {
	if more := int(group) + 1 - len(s.kinds); more > 0 {
		s.kinds = append(s.kinds, make([]uint32, more)...)
	}
	own, kind, _ := s.keysOf(group, number, pattern)
	s.kinds[group] |= kind
	slot := s.at(own)
	slot.key = own
	slot.twice |= slot.once & action
	slot.once |= action
}

// any reports whether some rule of a group may have a pattern that covers this
// one.
func (s *coverSieve) any(group, number int32, pattern string) bool {
	if int(group) >= len(s.kinds) || s.kinds[group] == 0 {
		return false
	}
	if _, _, sure := s.keysOf(group, number, pattern); !sure {
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
	own, _, sure := s.keysOf(group, number, pattern)
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

// keysOf finds the key that a pattern has, and of what kind it is, and leaves
// those of the patterns that may cover it in keys, if the group has any of
// their kind. It is not sure of patterns with more segments than a search
// takes.
func (s *coverSieve) keysOf(group, number int32, text string) (own uint64, kind uint32, sure bool) {
	c, base := s.shape.object, texttable.Mix(0, uint64(uint32(group)))
	s.keys, s.wanted = s.keys[:0], s.kinds[group]
	all := s.key(base, sieveAll)
	if c.star && text == "*" || pattern.MatchesAll(c.Function, text) {
		return all, 1 << sieveAll, true
	}
	own = s.key(texttable.Mix(base, uint64(uint32(number))), sieveText)
	if c.Function == "keyMatch" && strings.IndexByte(text, '*') >= 0 {
		return all, 1 << sieveAll, true // which is to suspect too much
	}
	if !pattern.HasSegments(c.Function) || c.Function == "==" {
		return own, 1 << sieveText, true
	}
	segs := pattern.AppendSegments(s.cut, c.Function, text)
	if segs == nil {
		return own, 1 << sieveText, true
	}
	s.cut = segs
	if bySegments, kind := s.keysOfSegments(base, segs); bySegments != 0 {
		return bySegments, kind, len(segs) < maxVisits
	}
	return own, 1 << sieveText, len(segs) < maxVisits
}

// keysOfSegments is ask for a pattern of segments. The key is 0 for one that
// covers itself alone.
func (s *coverSieve) keysOfSegments(h uint64, segs []pattern.Segment) (own uint64, kind uint32) {
	for i := range segs {
		depth := min(i, sieveDeepest)
		own, kind = s.key(h, sieveRest+depth), 1<<(sieveRest+depth)
		if key := s.keysOfEnding(h, sieveEnding+depth, segs); key != 0 {
			own, kind = key, 1<<(sieveEnding+depth)
		}
		if segs[i].Kind != pattern.Literal {
			if slices.ContainsFunc(segs[i:], func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
				return 0, 0
			}
			return own, kind
		}
		h = texttable.Mix(h, maphash.String(s.seed, segs[i].Text))
	}
	return s.key(h, sieveWhole), 1 << sieveWhole
}

// keysOfEnding asks for patterns that have as many segments, of which the last is
// the same or stands for any. It returns the key of those that end alike, and 0
// for a pattern that ends in no such segment.
func (s *coverSieve) keysOfEnding(h uint64, kind int, segs []pattern.Segment) uint64 {
	h = texttable.Mix(h, uint64(len(segs)))
	switch last := segs[len(segs)-1]; last.Kind {
	case pattern.One:
		return s.key(h, kind)
	case pattern.Literal:
		s.key(h, kind)
		return s.key(texttable.Mix(h, maphash.String(s.seed, last.Text)), kind)
	default:
		return 0
	}
}

// key is the key of a kind, which is asked for if there are some of it. It is
// never 0.
func (s *coverSieve) key(h uint64, kind int) uint64 {
	key := texttable.Mix(h, uint64(kind)) | 1
	if s.wanted&(1<<kind) != 0 {
		s.keys = append(s.keys, key)
	}
	return key
}
