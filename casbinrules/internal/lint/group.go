package lint

import (
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// ruleGroups numbers the groups of rules that are equal in the columns that must be
// equal for one to match everything that another matches.
type ruleGroups struct {
	shape *shape
	// further has, for each column but the first, the next group by the group so far
	// and the number of the field.
	further []map[[2]int32]int32
	of      []int32 // the group of each rule, by its place
	// spans and places say where the rules of each group are; they are made when first
	// needed.
	spans  []policy.Span
	places []int32
	room   []policy.Rule
}

func newRuleGroups(sh *shape) ruleGroups {
	g := ruleGroups{shape: sh}
	for range len(sh.same) - 1 {
		g.further = append(g.further, map[[2]int32]int32{})
	}
	return g
}

// add returns the group of a rule, a new one if there is none.
func (g *ruleGroups) add(r policy.Rule) int32 { return g.number(r, 0, true) }

// find returns the group of the rules that are equal to r, with another subject in
// place of its own unless that is 0; -1 if there is none.
func (g *ruleGroups) find(r policy.Rule, subject int32) int32 { return g.number(r, subject, false) }

func (g *ruleGroups) number(r policy.Rule, subject int32, add bool) (group int32) {
	for i, column := range g.shape.same {
		n := r.Number(column)
		if column == g.shape.subject && subject != 0 {
			n = subject
		}
		if i == 0 {
			group = n
			continue
		}
		key := [2]int32{group, n}
		known := false
		if group, known = g.further[i-1][key]; known {
			continue
		}
		if !add {
			return -1
		}
		group = int32(len(g.further[i-1]))
		g.further[i-1][key] = group
	}
	return group
}

// members returns the rules of a group in order; the result is valid until the next call.
func (g *ruleGroups) members(rules policy.Rules, group int32) []policy.Rule {
	if g.spans == nil {
		g.sort()
	}
	g.room = g.room[:0]
	if int(group) < len(g.spans) {
		at := g.spans[group]
		for _, place := range g.places[at.First : at.First+at.Count] {
			g.room = append(g.room, rules.At(int(place)))
		}
	}
	return g.room
}

// sort sorts the places of rules by their groups.
func (g *ruleGroups) sort() {
	most := int32(0)
	for _, group := range g.of {
		most = max(most, group)
	}
	g.spans = make([]policy.Span, most+1)
	for _, group := range g.of {
		g.spans[group].Count++
	}
	g.places = make([]int32, policy.Layout(g.spans))
	for place, group := range g.of {
		at := &g.spans[group]
		g.places[at.First+at.Count] = int32(place)
		at.Count++
	}
}
