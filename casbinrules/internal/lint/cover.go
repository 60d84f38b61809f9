package lint

import (
	"net/http"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/sieve"
)

// coverIndex finds the rules that match everything that another one matches, without
// comparing all of them. Rules are grouped by the columns in which they must be equal.
//
// It is about requests that a gate lets through: a path has no control characters
// (core/adapter.CanonicalPath).
type coverIndex struct {
	schema *model.Schema
	shape  *shape
	texts  *policy.Texts
	// rules are those of the policy, in the order in which the first of equal ones
	// is chosen.
	rules  policy.Rules
	groups ruleGroups
	sieve  *sieve.Sieve
	// objects are the indexes of those groups that were needed so far.
	objects map[int32]*objectIndex
	// actions are results of coveringActions, by the number of the action, and bits
	// the bits that the sieve has for them.
	actions map[int32]coveringActions
	// segments is a buffer for the segments of the current pattern.
	segments []pattern.Segment
}

// coveringActions are the actions that match everything that one matches.
type coveringActions struct {
	names       []string
	own, others uint32 // bits
}

// maxVisits is the maximum number of nodes in one search. A search that reaches it finds
// less.
const maxVisits = 1000

func newCoverIndex(s *model.Schema, texts *policy.Texts, sh *shape) *coverIndex {
	return &coverIndex{schema: s, texts: texts, shape: sh, objects: map[int32]*objectIndex{}, actions: map[int32]coveringActions{}}
}

// take adds the rules of a policy.
func (x *coverIndex) take(rules policy.Rules, c *model.Settings) {
	x.rules = rules
	x.groups = newRuleGroups(x.shape)
	x.sieve = sieve.New(x.shape.object.Function, x.shape.object.star, rules.Len(), maxVisits)
	if rules.Len() == 0 {
		return
	}
	x.groups.of = make([]int32, rules.Len())
	for i, r := range rules.All() {
		c.Pace.Step()
		group := x.groups.add(r)
		x.groups.of[i] = group
		x.sieve.Add(group, x.objectNumber(r), x.object(r), x.coveringActions(r).own)
	}
}

// isSuspect reports whether another rule may match everything that one matches.
func (x *coverIndex) isSuspect(i int) bool {
	r := x.rules.At(i)
	a := x.coveringActions(r)
	return x.sieve.MayOtherCover(x.groups.of[i], x.objectNumber(r), x.object(r), a.own, a.others)
}

// object and action are the values by which a rule is indexed.
func (x *coverIndex) object(r policy.Rule) string { return x.shape.object.value(r) }
func (x *coverIndex) action(r policy.Rule) string { return x.shape.action.value(r) }

func (x *coverIndex) objectNumber(r policy.Rule) int32 {
	if !x.shape.object.alone {
		return 0
	}
	return r.Number(x.shape.object.column)
}

// value returns the text of a rule in the column, or "" if it is not compared alone.
func (c Comparison) value(r policy.Rule) string {
	if !c.alone {
		return ""
	}
	return policy.ValueAt(r, c.column)
}

// index returns the index of the rules of a group, which is made when first needed.
func (x *coverIndex) index(group int32) *objectIndex {
	g := x.objects[group]
	if g == nil {
		g = x.newIndex(group)
		for _, r := range x.groups.members(x.rules, group) {
			g.put(r)
		}
	}
	return g
}

// newIndex returns an empty index for the rules of a group.
func (x *coverIndex) newIndex(group int32) *objectIndex {
	g := &objectIndex{index: x, Comparison: x.shape.object}
	x.objects[group] = g
	return g
}

// coveringActions returns the actions that match everything that r's action matches. A
// method that a rule must name, or that changes the meaning of other actions if named, is
// covered only by itself.
func (x *coverIndex) coveringActions(r policy.Rule) coveringActions {
	number := int32(0)
	if x.shape.action.alone {
		number = r.Number(x.shape.action.column)
	}
	actions, known := x.actions[number]
	if !known {
		actions.names = x.findActions(r)
		for i, name := range actions.names {
			bit := x.actionBit(name)
			if i == 0 {
				actions.own = bit
			} else {
				actions.others |= bit
			}
		}
		if len(x.schema.Actions) < 2 { // otherwise another column may name methods
			x.actions[number] = actions
		}
	}
	return actions
}

// actionBit returns the bit of an action. Actions that cover others have bits of
// their own.
func (x *coverIndex) actionBit(action string) uint32 {
	switch action {
	case "*":
		return 1
	case ".*":
		return 2
	}
	return 4 << (x.texts.Known(action) % 30)
}

func (x *coverIndex) findActions(r policy.Rule) []string {
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
func (x *coverIndex) answers(r policy.Rule, subject int32, object, method, effect string) (yes bool) {
	group := x.groups.find(r, subject)
	if group < 0 || !x.sieve.MayCover(group, x.texts.Known(object), object) {
		return false
	}
	x.index(group).covering(object, func(set *ruleSet) bool {
		yes = x.answersMethod(set, method, effect) || x.namesMethod(set, method, object)
		return !yes
	})
	return yes
}

// namesMethod reports whether a rule is for exactly this method and object, so that
// it was considered.
func (x *coverIndex) namesMethod(set *ruleSet, method, object string) bool {
	for _, effect := range []string{"allow", "deny"} {
		if other := (*set)[ruleEffect{effect, method}]; !other.IsZero() && x.object(other) == object {
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
