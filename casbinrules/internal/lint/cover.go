package lint

import (
	"encoding/binary"
	"net/http"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// coverIndex finds the rules that match everything that another one matches, without
// comparing all of them. Rules are grouped by the columns in which they must be equal.
//
// It is about requests that a gate lets through: a path has no control characters
// (core/adapter.CanonicalPath).
type coverIndex struct {
	schema *model.Schema
	shape  *shape
	groups map[string]*objectIndex // by the numbers of the fields in those columns
	// actions are results of coveringActions, by the number of the action.
	actions map[int32][]string
	// segments and key are buffers.
	segments []pattern.Segment
	key      []byte
}

// maxVisits is the maximum number of nodes in one search. A search that reaches it finds
// less.
const maxVisits = 1000

func newCoverIndex(s *model.Schema, sh *shape) *coverIndex {
	return &coverIndex{schema: s, shape: sh, groups: map[string]*objectIndex{}, actions: map[int32][]string{}}
}

// of returns the index of the group of a rule.
func (x *coverIndex) of(r *policy.Rule) *objectIndex {
	g := x.find(r, 0)
	if g == nil {
		g = &objectIndex{index: x, Comparison: x.shape.object}
		x.groups[string(x.key)] = g
	}
	return g
}

// find returns the index of the rules that are equal to r, with another subject in
// place of its own unless that is 0; nil if there is none.
func (x *coverIndex) find(r *policy.Rule, subject int32) *objectIndex {
	x.key = x.key[:0]
	for _, column := range x.shape.same {
		n := r.Number(column)
		if column == x.shape.subject && subject != 0 {
			n = subject
		}
		x.key = binary.AppendUvarint(x.key, uint64(n))
	}
	return x.groups[string(x.key)]
}

// object and action are the values by which a rule is indexed.
func (x *coverIndex) object(r *policy.Rule) string { return x.shape.object.value(r) }
func (x *coverIndex) action(r *policy.Rule) string { return x.shape.action.value(r) }

// value returns the text of a rule in the column, or "" if it is not compared alone.
func (c Comparison) value(r *policy.Rule) string {
	if !c.alone {
		return ""
	}
	return policy.ValueAt(r, c.column)
}

// coveringActions returns the actions that match everything that r's action matches. A
// method that a rule must name, or that changes the meaning of other actions if named, is
// covered only by itself.
func (x *coverIndex) coveringActions(r *policy.Rule) []string {
	number := int32(0)
	if x.shape.action.alone {
		number = r.Number(x.shape.action.column)
	}
	actions, known := x.actions[number]
	if !known {
		actions = x.findActions(r)
		if len(x.schema.Actions) < 2 { // otherwise another column may name methods
			x.actions[number] = actions
		}
	}
	return actions
}

func (x *coverIndex) findActions(r *policy.Rule) []string {
	actions := []string{x.action(r)}
	c := x.shape.action
	if !c.alone || actions[0] == "*" {
		return actions
	}
	for method := range policy.Methods(x.schema, r) {
		if !policy.IsUsual(method) || method == http.MethodHead {
			return actions
		}
	}
	if c.star || pattern.MatchesAll(c.Function, "*") {
		actions = append(actions, "*")
	}
	if pattern.MatchesAll(c.Function, ".*") {
		actions = append(actions, ".*")
	}
	return actions
}

// answers reports whether a rule for subject that matches everything that object
// matches applies to method, with the effect, or with any if effect is "" or the
// rule is for exactly this method and object.
func (x *coverIndex) answers(r *policy.Rule, subject int32, object, method, effect string) (yes bool) {
	g := x.find(r, subject)
	if g == nil {
		return false
	}
	g.covering(object, func(set *ruleSet) bool {
		yes = x.answersMethod(set, method, effect) || x.namesMethod(set, method, object)
		return !yes
	})
	return yes
}

// namesMethod reports whether a rule is for exactly this method and object, so that
// it was considered.
func (x *coverIndex) namesMethod(set *ruleSet, method, object string) bool {
	for _, effect := range []string{"allow", "deny"} {
		if other := (*set)[ruleEffect{effect, method}]; other != nil && x.object(other) == object {
			return true
		}
	}
	return false
}

func (x *coverIndex) answersMethod(set *ruleSet, method, effect string) bool {
	if !x.shape.action.alone || set == nil {
		return true // It cannot be determined.
	}
	visits := 0
	for at := range *set {
		if visits++; visits > maxVisits {
			return true
		}
		if (effect == "" || effect == at.effect) && x.shape.action.matches(method, at.action) {
			return true
		}
	}
	return false
}

// matches reports whether a column with this text matches a value.
func (c Comparison) matches(value, text string) bool {
	return c.star && text == "*" || pattern.Match(c.Function, value, text)
}
