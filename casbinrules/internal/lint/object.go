package lint

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// objectIndex finds patterns that cover another one.
type objectIndex struct {
	Comparison
	index    *coverIndex
	all      ruleSet // of patterns for everything
	exact    map[string]*ruleSet
	segments pattern.Trie[ruleSet]
	// prefixes are what precedes the star, for keyMatch; lengths are their lengths.
	prefixes map[string]*ruleSet
	lengths  []int
}

func (x *objectIndex) put(r policy.Rule) {
	x.set(x.index.object(r)).put(ruleEffect{policy.EffectOf(x.index.schema, r), x.index.action(r)}, r)
}

// rule returns a rule with the effect, other than r, that matches everything that r
// matches, or the zero Rule.
func (x *objectIndex) rule(r policy.Rule, effect string) (found policy.Rule) {
	actions := x.index.coveringActions(r).names
	x.covering(x.index.object(r), func(set *ruleSet) bool {
		if set == nil {
			return true
		}
		for _, action := range actions {
			if other := (*set)[ruleEffect{effect, action}]; !other.IsZero() && other != r {
				found = other
				return false
			}
		}
		return true
	})
	return found
}

// set returns the set for the rules with a pattern.
func (x *objectIndex) set(text string) *ruleSet {
	if x.star && text == "*" || pattern.MatchesAll(x.Function, text) {
		return &x.all
	}
	if star := strings.IndexByte(text, '*'); x.Function == "keyMatch" && star >= 0 {
		if !slices.Contains(x.lengths, star) {
			x.lengths = append(x.lengths, star)
		}
		return entry(&x.prefixes, text[:star])
	}
	if segs := x.segmentsOf(text); segs != nil {
		return x.segments.At(segs)
	}
	return entry(&x.exact, text)
}

// segmentsOf returns nil for a pattern that covers only itself.
func (x *objectIndex) segmentsOf(text string) []pattern.Segment {
	if !pattern.HasSegments(x.Function) || x.Function == "==" {
		return nil
	}
	segs := x.cut(text)
	if slices.ContainsFunc(segs, func(s pattern.Segment) bool { return s.Kind == pattern.Other }) {
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

// covering yields the rules whose pattern matches everything that pattern matches,
// and nil if it gives up.
func (x *objectIndex) covering(text string, yield func(*ruleSet) bool) {
	if set := x.exact[text]; set != nil && !yield(set) {
		return
	}
	if len(x.all) > 0 && !yield(&x.all) {
		return
	}
	if x.Function == "keyMatch" {
		end := len(text)
		if star := strings.IndexByte(text, '*'); star >= 0 {
			end = star
		}
		for _, n := range x.lengths {
			if n > end {
				continue
			}
			if set := x.prefixes[text[:n]]; set != nil && !yield(set) {
				return
			}
		}
		return
	}
	if !pattern.HasSegments(x.Function) || x.Function == "==" {
		return
	}
	x.segments.Covering(x.cut(text), maxVisits, yield)
}

// cut splits a pattern in the buffer of the index, which is valid until the next call.
func (x *objectIndex) cut(text string) []pattern.Segment {
	segs := pattern.AppendSegments(x.index.segments, x.Function, text)
	if segs != nil {
		x.index.segments = segs
	}
	return segs
}
