// Package sieve determines, for most rules at once, that no other rule of their
// group matches everything that they match, so that the search for such a rule,
// which walks a trie, is needed for few.
//
// It exists only for speed. Without it BenchmarkLoad of casbinrules, with 100,000
// rules, as many role links and findings, takes 1.28 to 1.38 times the processor
// time and 371,000 to 445,000 allocations instead of 54,000; at a tenth of the
// size, TestLoadsAllocateInPieces allows 8,000. The memory in use afterwards is the
// same, and so is the time of a decision.
package sieve

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/texttable"
)

// Sieve says which rules may have another one that covers them. It may suspect
// too much, and never too little. It is for one goroutine.
type Sieve struct {
	function string
	star     bool
	search   int
	seed     maphash.Seed
	slots    []slot // a power of two, at most half full
	// kinds are what there is in each group, by bits, so that the rest need not
	// be looked for. Groups may share a place.
	kinds []uint32
	cut   []pattern.Segment // room for those of one pattern
	// keys is room for what one pattern asks for, of the kinds wanted.
	keys   []uint64
	wanted uint32
}

// slot is where the rules of a group stand whose patterns cover others
// that begin alike. It is free while its key is 0.
type slot struct {
	key uint64
	// once are the actions of the rules here, by their bits, and twice those
	// that several have.
	once, twice uint32
}

// What a key is of: patterns for everything, those that cover just themselves,
// those of plain segments alone, and by how many of these stand in front of the
// first other one, those that end in a star and those that do not.
const (
	ofAll     = 0
	ofText    = 1
	ofWhole   = 2
	ofRest    = 3
	ofEnding  = ofRest + ofDeepest + 1
	ofDeepest = 13 // and what is deeper
)

// New is a sieve for that many rules at most, whose patterns are matched by
// function and, where star is set, are "*" for anything. It is sure of no pattern
// with as many segments as a search visits nodes.
func New(function string, star bool, rules, search int) *Sieve {
	s := &Sieve{function: function, star: star, search: search, seed: maphash.MakeSeed()}
	size := 8
	for size < 2*rules {
		size *= 2
	}
	s.slots, s.kinds = make([]slot, size), make([]uint32, size)
	return s
}

// kindsOf are those of a group.
func (s *Sieve) kindsOf(group int32) *uint32 { return &s.kinds[int(group)&(len(s.kinds)-1)] }

// at is the slot of a key, or the free one where it would stand.
func (s *Sieve) at(key uint64) *slot {
	last := uint64(len(s.slots) - 1)
	for at := key >> 1 & last; ; at = (at + 1) & last {
		if found := &s.slots[at]; found.key == key || found.key == 0 {
			return found
		}
	}
}

// Add puts in a rule of a group. number stands for the text of its pattern and
// is the same for equal texts; action is a bit for its action, which several
// actions may share.
func (s *Sieve) Add(group, number int32, pattern string, action uint32) {
	own, kind, _ := s.keysOf(group, number, pattern)
	*s.kindsOf(group) |= kind
	slot := s.at(own)
	slot.key = own
	slot.twice |= slot.once & action
	slot.once |= action
}

// Any reports whether some rule of a group may have a pattern that covers this
// one.
func (s *Sieve) Any(group, number int32, pattern string) bool {
	if *s.kindsOf(group) == 0 {
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

// Other is Any for a rule that is in the sieve itself: another one, with its
// own action or one of others.
func (s *Sieve) Other(group, number int32, pattern string, action, others uint32) bool {
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
func (s *Sieve) keysOf(group, number int32, text string) (own uint64, kind uint32, sure bool) {
	base := texttable.Mix(0, uint64(uint32(group)))
	s.keys, s.wanted = s.keys[:0], *s.kindsOf(group)
	all := s.key(base, ofAll)
	if s.star && text == "*" || pattern.MatchesAll(s.function, text) {
		return all, 1 << ofAll, true
	}
	own = s.key(texttable.Mix(base, uint64(uint32(number))), ofText)
	if s.function == "keyMatch" && strings.IndexByte(text, '*') >= 0 {
		return all, 1 << ofAll, true // which is to suspect too much
	}
	if !pattern.HasSegments(s.function) || s.function == "==" {
		return own, 1 << ofText, true
	}
	segs := pattern.AppendSegments(s.cut, s.function, text)
	if segs == nil {
		return own, 1 << ofText, true
	}
	s.cut = segs
	if bySegments, kind := s.keysOfSegments(base, segs); bySegments != 0 {
		return bySegments, kind, len(segs) < s.search
	}
	return own, 1 << ofText, len(segs) < s.search
}

// keysOfSegments is ask for a pattern of segments. The key is 0 for one that
// covers itself alone.
func (s *Sieve) keysOfSegments(h uint64, segs []pattern.Segment) (own uint64, kind uint32) {
	for i := range segs {
		depth := min(i, ofDeepest)
		own, kind = s.key(h, ofRest+depth), 1<<(ofRest+depth)
		if key := s.keysOfEnding(h, ofEnding+depth, segs); key != 0 {
			own, kind = key, 1<<(ofEnding+depth)
		}
		if segs[i].Kind != pattern.Literal {
			if slices.ContainsFunc(segs[i:], func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
				return 0, 0
			}
			return own, kind
		}
		h = texttable.Mix(h, maphash.String(s.seed, segs[i].Text))
	}
	return s.key(h, ofWhole), 1 << ofWhole
}

// keysOfEnding asks for patterns that have as many segments, of which the last is
// the same or stands for any. It returns the key of those that end alike, and 0
// for a pattern that ends in no such segment.
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

// key is the key of a kind, which is asked for if there are some of it. It is
// never 0.
func (s *Sieve) key(h uint64, kind int) uint64 {
	key := texttable.Mix(h, uint64(kind)) | 1
	if s.wanted&(1<<kind) != 0 {
		s.keys = append(s.keys, key)
	}
	return key
}
