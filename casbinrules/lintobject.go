package casbinrules

import (
	"slices"
	"strings"
)

// objectIndex finds patterns that cover another one.
type objectIndex struct {
	comparison
	index    *coverIndex
	all      ruleSet // of patterns for everything
	exact    map[string]*ruleSet
	segments coverNode
	// prefixes are what stands in front of the star, for keyMatch; lengths are
	// theirs.
	prefixes map[string]*ruleSet
	lengths  []int
}

// coverNode is where patterns that begin with the same segments go on.
type coverNode struct {
	next      map[string]*coverNode
	one, rest *coverNode
	rules     ruleSet
}

func (x *objectIndex) put(r *rule) {
	x.set(x.index.object(r)).put(ruleEffect{x.index.schema.effectOf(r), x.index.action(r)}, r)
}

// rule finds a rule of the effect, other than r, that matches whatever r does,
// or nil.
func (x *objectIndex) rule(r *rule, effect string) (found *rule) {
	actions := x.index.coveringActions(r).names
	x.covering(x.index.object(r), func(set *ruleSet) bool {
		if set == nil {
			return true
		}
		for _, action := range actions {
			if other := set.get(ruleEffect{effect, action}); other != nil && other != r {
				found = other
				return false
			}
		}
		return true
	})
	return found
}

// set is where the rules with a pattern belong.
func (x *objectIndex) set(pattern string) *ruleSet {
	if x.star && pattern == "*" || everything(x.function, pattern) {
		return &x.all
	}
	if star := strings.IndexByte(pattern, '*'); x.function == "keyMatch" && star >= 0 {
		if !slices.Contains(x.lengths, star) {
			x.lengths = append(x.lengths, star)
		}
		return entry(&x.prefixes, pattern[:star])
	}
	if segs := x.segmentsOf(pattern); segs != nil {
		return x.segments.set(segs)
	}
	return entry(&x.exact, pattern)
}

// segmentsOf is nil for a pattern that covers only itself.
func (x *objectIndex) segmentsOf(pattern string) []segment {
	if !hasSegments(x.function) || x.function == "==" {
		return nil
	}
	segs := x.cut(pattern)
	if slices.ContainsFunc(segs, func(s segment) bool { return s.kind == segmentOther }) {
		return nil
	}
	return segs
}

func entry(sets *map[string]*ruleSet, key string) *ruleSet {
	if *sets == nil {
		*sets = map[string]*ruleSet{}
	}
	if (*sets)[key] == nil {
		(*sets)[key] = &ruleSet{}
	}
	return (*sets)[key]
}

func (n *coverNode) set(segs []segment) *ruleSet {
	for _, s := range segs {
		switch s.kind {
		case segmentOne:
			n = child(&n.one)
		case segmentRest:
			n = child(&n.rest)
		default:
			if n.next == nil {
				n.next = map[string]*coverNode{}
			}
			if n.next[s.text] == nil {
				n.next[s.text] = &coverNode{}
			}
			n = n.next[s.text]
		}
	}
	return &n.rules
}

func child(n **coverNode) *coverNode {
	if *n == nil {
		*n = &coverNode{}
	}
	return *n
}

// covering yields the rules whose pattern matches all that pattern does, and
// nil when it gives up.
func (x *objectIndex) covering(pattern string, yield func(*ruleSet) bool) {
	if set := x.exact[pattern]; set != nil && !yield(set) {
		return
	}
	if !x.all.empty() && !yield(&x.all) {
		return
	}
	if x.function == "keyMatch" {
		end := len(pattern)
		if star := strings.IndexByte(pattern, '*'); star >= 0 {
			end = star
		}
		for _, n := range x.lengths {
			if n > end {
				continue
			}
			if set := x.prefixes[pattern[:n]]; set != nil && !yield(set) {
				return
			}
		}
		return
	}
	if !hasSegments(x.function) || x.function == "==" {
		return
	}
	visits := 0
	x.segments.covering(x.cut(pattern), &visits, yield)
}

// cut takes a pattern apart in the room of the index, until the next call.
func (x *objectIndex) cut(pattern string) []segment {
	segs := appendSegments(x.index.segments, x.function, pattern)
	if segs != nil {
		x.index.segments = segs
	}
	return segs
}

func (n *coverNode) covering(segs []segment, visits *int, yield func(*ruleSet) bool) bool {
	if *visits++; *visits > maxVisits {
		yield(nil)
		return false
	}
	if len(segs) == 0 {
		return n.rules.empty() || yield(&n.rules)
	}
	if n.rest != nil && !yield(&n.rest.rules) {
		return false
	}
	s := segs[0]
	if s.kind == segmentLiteral {
		if next := n.next[s.text]; next != nil && !next.covering(segs[1:], visits, yield) {
			return false
		}
	}
	if n.one != nil && (s.kind == segmentOne || s.kind == segmentLiteral && s.text != "") {
		return n.one.covering(segs[1:], visits, yield)
	}
	return true
}
