// Package sieve rules out, for most rules at once, that another rule of their group
// matches everything that they match. The exact search, which walks a trie, is then
// needed for few rules.
//
// It exists only for speed. Without it BenchmarkLoad of casbinrules, with 100,000
// rules, as many role links and findings, takes 1.3 to 2 times the processor
// time and 462,000 to 535,000 allocations instead of 35,000; at a tenth of the size,
// TestLoadsAllocateInPieces allows 8,000. The memory in use afterwards is the same,
// and so is the time of a decision.
package sieve

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// Sieve finds the rules that another rule may cover. Like a Bloom filter, it may
// return false positives but no false negatives. It must not be used concurrently.
type Sieve struct {
	function    string
	star        bool
	searchLimit int
	seed        maphash.Seed
	slots       []slot // a power of two, at most half full
	// kinds are the kinds of keys in each group, as bits, so that other kinds need
	// not be looked up. Groups may share an element.
	kinds    []uint32
	segments []pattern.Segment // buffer for the segments of a pattern
	// keys is a buffer for the keys to look up for one pattern; wanted are the kinds
	// in its group.
	keys   []uint64
	wanted uint32
}

// slot holds the rules of a group whose patterns have the same key. It is free if
// the key is 0.
type slot struct {
	key uint64
	// actions are the actions of these rules, as bits, and repeated those that
	// several rules have.
	actions, repeated uint32
}

// The kinds of keys: of patterns that match everything, of patterns that cover only
// themselves, and of patterns of literal segments only. Other patterns are grouped
// by the number of literal segments before the first other one: keyRest for those
// that end in a star, keyEnding for those that do not.
const (
	keyAll     = 0
	keyText    = 1
	keyLiteral = 2
	keyRest    = 3
	keyEnding  = keyRest + maxDepth + 1
	maxDepth   = 13 // deeper patterns share this depth
)

// New returns a sieve for at most so many rules, whose patterns are matched by
// function; with star, "*" also matches everything. Patterns with at least as many
// segments as search, the number of nodes that the exact search visits, are always
// reported.
func New(function string, star bool, rules, search int) *Sieve {
	s := &Sieve{function: function, star: star, searchLimit: search, seed: maphash.MakeSeed()}
	size := 8
	for size < 2*rules {
		size *= 2
	}
	s.slots, s.kinds = make([]slot, size), make([]uint32, size)
	return s
}

// groupKinds returns the kinds of a group.
func (s *Sieve) groupKinds(group int32) *uint32 { return &s.kinds[int(group)&(len(s.kinds)-1)] }

// find returns the slot of a key, or the free one where it belongs.
func (s *Sieve) find(key uint64) *slot {
	last := uint64(len(s.slots) - 1)
	for at := key >> 1 & last; ; at = (at + 1) & last {
		if found := &s.slots[at]; found.key == key || found.key == 0 {
			return found
		}
	}
}

// Add adds a rule to a group. number is the number of its pattern, equal for equal
// texts; action is a bit for its action, which several actions may share.
func (s *Sieve) Add(group, number int32, pattern string, action uint32) {
	own, kind, _ := s.keysOf(group, number, pattern)
	*s.groupKinds(group) |= kind
	slot := s.find(own)
	slot.key = own
	slot.repeated |= slot.actions & action
	slot.actions |= action
}

// MayCover reports whether some rule of a group may have a pattern that covers this
// one.
func (s *Sieve) MayCover(group, number int32, pattern string) bool {
	if *s.groupKinds(group) == 0 {
		return false
	}
	if _, _, sure := s.keysOf(group, number, pattern); !sure {
		return true
	}
	for _, key := range s.keys {
		if s.find(key).key != 0 {
			return true
		}
	}
	return false
}

// MayOtherCover is MayCover for a rule that is in the sieve itself: it ignores that
// rule, and rules whose action is neither its own nor one of others.
func (s *Sieve) MayOtherCover(group, number int32, pattern string, action, others uint32) bool {
	own, _, sure := s.keysOf(group, number, pattern)
	if !sure {
		return true
	}
	for _, key := range s.keys {
		slot := s.find(key)
		same := slot.actions
		if key == own {
			same = slot.repeated
		}
		if same&action != 0 || slot.actions&others&^action != 0 {
			return true
		}
	}
	return false
}

// keysOf returns the key of a pattern and its kind, and stores in s.keys the keys of
// patterns that may cover it, if the group has any of their kind. sure is false for
// patterns with more segments than the exact search visits.
func (s *Sieve) keysOf(group, number int32, text string) (own uint64, kind uint32, sure bool) {
	base := texttable.Mix(0, uint64(uint32(group)))
	s.keys, s.wanted = s.keys[:0], *s.groupKinds(group)
	all := s.key(base, keyAll)
	if s.star && text == "*" || pattern.MatchesAll(s.function, text) {
		return all, 1 << keyAll, true
	}
	own = s.key(texttable.Mix(base, uint64(uint32(number))), keyText)
	if s.function == "keyMatch" && strings.IndexByte(text, '*') >= 0 {
		return all, 1 << keyAll, true // may report too much, which is allowed
	}
	if !pattern.HasSegments(s.function) || s.function == "==" {
		return own, 1 << keyText, true
	}
	segs := pattern.AppendSegments(s.segments, s.function, text)
	if segs == nil {
		return own, 1 << keyText, true
	}
	s.segments = segs
	if bySegments, kind := s.keysOfSegments(base, segs); bySegments != 0 {
		return bySegments, kind, len(segs) < s.searchLimit
	}
	return own, 1 << keyText, len(segs) < s.searchLimit
}

// keysOfSegments is keysOf for the segments of a pattern. The key is 0 for a pattern
// that covers only itself.
func (s *Sieve) keysOfSegments(h uint64, segs []pattern.Segment) (own uint64, kind uint32) {
	for i := range segs {
		depth := min(i, maxDepth)
		own, kind = s.key(h, keyRest+depth), 1<<(keyRest+depth)
		if key := s.keysOfEnding(h, keyEnding+depth, segs); key != 0 {
			own, kind = key, 1<<(keyEnding+depth)
		}
		if segs[i].Kind != pattern.Literal {
			if slices.ContainsFunc(segs[i:], func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
				return 0, 0
			}
			return own, kind
		}
		h = texttable.Mix(h, maphash.String(s.seed, segs[i].Text))
	}
	return s.key(h, keyLiteral), 1 << keyLiteral
}

// keysOfEnding adds the keys of patterns that have the same number of segments, of
// which the last is equal or matches any. It returns the key of patterns with the
// same ending, and 0 for a pattern whose last segment is neither literal nor any.
func (s *Sieve) keysOfEnding(h uint64, kind int, segs []pattern.Segment) uint64 {
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

// key returns the key of a kind, and adds it to s.keys if the group has that kind.
// It is never 0.
func (s *Sieve) key(h uint64, kind int) uint64 {
	key := texttable.Mix(h, uint64(kind)) | 1
	if s.wanted&(1<<kind) != 0 {
		s.keys = append(s.keys, key)
	}
	return key
}
