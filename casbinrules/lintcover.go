package casbinrules

import "net/http"

// coverIndex finds the rules that match whatever another one does, without
// looking at all of them. Rules are kept apart by the columns in which they
// must be equal.
//
// It speaks of requests as they get through a gate: a path holds no control
// character (core.CanonicalPath).
type coverIndex struct {
	schema *schema
	shape  *shape
	texts  *texts
	// rules are those of the policy in the order that the first of those alike
	// is chosen by.
	rules  []*rule
	groups ruleGroups
	sieve  *coverSieve
	// objects are the indexes of the groups that somebody has asked about.
	objects map[int32]*objectIndex
	// actions are what coveringActions has found, by the number of the action,
	// and bits what the sieve has for them.
	actions map[int32]coveringActions
	// segments is room for what is taken apart at the moment.
	segments []segment
}

// coveringActions are the actions that match whatever one does.
type coveringActions struct {
	names       []string
	own, others uint32 // bits
}

// maxVisits is how many nodes one search looks at. A search that is cut short
// finds less.
const maxVisits = 1000

func newCoverIndex(s *schema, sh *shape) *coverIndex {
	return &coverIndex{schema: s, shape: sh, objects: map[int32]*objectIndex{}, actions: map[int32]coveringActions{}}
}

// take takes the rules of a policy.
func (x *coverIndex) take(rules []*rule, c *settings) {
	x.rules = rules
	x.groups = newRuleGroups(x.shape)
	x.sieve = newCoverSieve(x.shape, len(rules))
	if len(rules) == 0 {
		return
	}
	x.texts = rules[0].texts
	x.groups.of = make([]int32, len(rules))
	for i, r := range rules {
		c.pace.step()
		group := x.groups.add(r)
		x.groups.of[i] = group
		x.sieve.add(group, x.objectNumber(r), x.object(r), x.coveringActions(r).own)
	}
}

// isSuspect reports whether another rule may match whatever one does.
func (x *coverIndex) isSuspect(i int) bool {
	r := x.rules[i]
	a := x.coveringActions(r)
	return x.sieve.other(x.groups.of[i], x.objectNumber(r), x.object(r), a.own, a.others)
}

// object is what rules are indexed by.
func (x *coverIndex) object(r *rule) string {
	if !x.shape.object.alone {
		return ""
	}
	return value(r, x.shape.object.column)
}

func (x *coverIndex) objectNumber(r *rule) int32 {
	if !x.shape.object.alone {
		return 0
	}
	return r.number(x.shape.object.column)
}

func (x *coverIndex) action(r *rule) string {
	if !x.shape.action.alone {
		return ""
	}
	return value(r, x.shape.action.column)
}

// effect is "allow", "deny", or what else a policy loaded as Casbin does may
// say.
func (s *schema) effectOf(r *rule) string {
	if s.eft < 0 {
		return "allow"
	}
	return r.field(s.eft)
}

// index is that of the rules of a group, made when it is first asked for.
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

// newIndex is one for the rules of a group, without them.
func (x *coverIndex) newIndex(group int32) *objectIndex {
	g := &objectIndex{index: x, comparison: x.shape.object}
	x.objects[group] = g
	return g
}

// coveringActions are the actions that match whatever r's does. A method that
// a rule must name, or whose naming changes what others mean, is covered by
// itself alone.
func (x *coverIndex) coveringActions(r *rule) coveringActions {
	number := int32(0)
	if x.shape.action.alone {
		number = r.number(x.shape.action.column)
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
		if len(x.schema.actions) < 2 { // else another column may name methods
			x.actions[number] = actions
		}
	}
	return actions
}

// actionBit is that of an action. Those that cover others have bits of their
// own.
func (x *coverIndex) actionBit(action string) uint32 {
	switch action {
	case "*":
		return 1
	case ".*":
		return 2
	}
	return 4 << (x.texts.known(action) % 30)
}

func (x *coverIndex) findActions(r *rule) []string {
	actions := []string{x.action(r)}
	c := x.shape.action
	if !c.alone || actions[0] == "*" {
		return actions
	}
	for method := range x.schema.methods(r) {
		if !isUsual(method) || method == http.MethodHead {
			return actions
		}
	}
	if c.star || everything(c.function, "*") {
		actions = append(actions, "*")
	}
	if everything(c.function, ".*") {
		actions = append(actions, ".*")
	}
	return actions
}

// answers reports whether a rule for subject that matches all that object does
// answers method, with the effect, or with any where effect is "" or the rule
// is for just this method and object.
func (x *coverIndex) answers(r *rule, subject int32, object, method, effect string) (yes bool) {
	group := x.groups.find(r, subject)
	if group < 0 || !x.sieve.any(group, x.texts.known(object), object) {
		return false
	}
	x.index(group).covering(object, func(set *ruleSet) bool {
		yes = x.answersMethod(set, method, effect) || x.namesMethod(set, method, object)
		return !yes
	})
	return yes
}

// namesMethod reports whether a rule is for just this method and object, so
// that somebody has thought of it.
func (x *coverIndex) namesMethod(set *ruleSet, method, object string) bool {
	for _, effect := range []string{"allow", "deny"} {
		if other := set.get(ruleEffect{effect, method}); other != nil && x.object(other) == object {
			return true
		}
	}
	return false
}

func (x *coverIndex) answersMethod(set *ruleSet, method, effect string) bool {
	if !x.shape.action.alone || set == nil {
		return true // lint does not know.
	}
	visits := 0
	for at := range set.all() {
		if visits++; visits > maxVisits {
			return true
		}
		if (effect == "" || effect == at.effect) && x.shape.action.matches(method, at.action) {
			return true
		}
	}
	return false
}

// matches reports whether a column with this value matches text.
func (c comparison) matches(text, pattern string) bool {
	return c.star && pattern == "*" || matches(c.function, text, pattern)
}
