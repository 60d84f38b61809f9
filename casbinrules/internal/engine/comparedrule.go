package engine

import (
	"encoding/binary"
	"net/http"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// Questioner is a subject, as each of two policies sees it: a request without object
// and action.
type Questioner struct {
	Request Request
	Roles   TokenRoles
}

// sees reports whether two policies see the same subject.
func (s *Questioner) sees(other *Questioner) bool {
	a, b := &s.Request, &other.Request
	return a.Subject == b.Subject && a.DenyOnlySubject == b.DenyOnlySubject && a.Tenant == b.Tenant &&
		slices.Equal(a.Attributes, b.Attributes) && slices.Equal(s.Roles.Prefixed(), other.Roles.Prefixed())
}

// variants returns the subject, and those as which it counts, too.
func (s *Questioner) variants() []Questioner {
	all := []Questioner{*s}
	for v := range s.Request.Variants {
		all = append(all, Questioner{v, s.Roles})
	}
	return all
}

// comparedRule is a rule with its conditions in each policy; nil if it lacks the rule.
type comparedRule struct {
	number int
	conds  [2]*cond
}

// ruleGroup are rules with the same calls of differing role links.
type ruleGroup struct {
	rules []*comparedRule
	// calls are these calls in each policy. objects are those for which calls about the
	// object differ, once computed.
	calls    [2][]*cond
	objects  []int32
	computed bool
}

// differs reports whether a rule matches a request in one policy only, or the GET that
// counts for a HEAD.
func (c *comparedRule) differs(asked *[2]Questioner, action string) bool {
	actions := [2]string{action, http.MethodGet}
	some := actions[:1]
	if action == http.MethodHead {
		some = actions[:]
	}
	for _, action := range some {
		var matches [2]bool
		for side, x := range c.conds {
			if q := &asked[side]; x != nil {
				q.Request.Action = action
				matches[side] = x.holds(&q.Request, &q.Roles)
			}
		}
		if matches[0] != matches[1] {
			return true
		}
	}
	return false
}

// possible reports whether the rule may match for one of the policies.
func (c *comparedRule) possible(of [2]*Questioner, unknown func(*model.Operand) bool) bool {
	for side, x := range c.conds {
		if x == nil {
			continue
		}
		if yes, _ := x.may(of[side], unknown); yes {
			return true
		}
	}
	return false
}

// always reports whether both conditions hold, whatever object and action may be.
func (c *comparedRule) always(of [2]*Questioner) bool {
	for side, x := range c.conds {
		if _, no := x.may(of[side], isObjectOrAction); no {
			return false
		}
	}
	return true
}

func isObjectOrAction(o *model.Operand) bool { return isObject(o) || isAction(o) }

// leaves yields the conditions that are not made of others.
func (c *cond) leaves(yield func(*cond) bool) { c.walk(yield) }

func (c *cond) walk(yield func(*cond) bool) bool {
	switch c.kind {
	case model.ExprAnd, model.ExprOr, model.ExprNot:
		for _, part := range c.parts {
			if !part.walk(yield) {
				return false
			}
		}
		return true
	}
	return yield(c)
}

func (c *cond) operands() []*model.Operand { return []*model.Operand{&c.left, &c.right, &c.tenant} }

// uses reports whether a condition that is not made of others uses an operand.
func (c *cond) uses(is func(*model.Operand) bool) bool {
	return is(&c.left) || is(&c.right) || is(&c.tenant)
}

// isAbout reports whether it uses such values of the request, and no others.
func (c *cond) isAbout(is func(*model.Operand) bool) bool {
	return c.uses(is) && !c.uses(func(o *model.Operand) bool { return o.Kind == model.OperandRequest && !is(o) })
}

// may reports whether the condition may be true, and whether it may be false, of a
// request in which some values are not known.
func (c *cond) may(q *Questioner, unknown func(*model.Operand) bool) (yes, no bool) {
	switch c.kind {
	case model.ExprConstant:
		return c.value, !c.value
	case model.ExprNot:
		yes, no = c.parts[0].may(q, unknown)
		return no, yes
	case model.ExprAnd, model.ExprOr:
		or := c.kind == model.ExprOr
		yes, no = !or, or
		for _, part := range c.parts {
			y, n := part.may(q, unknown)
			if or {
				yes, no = yes || y, no && n
			} else {
				yes, no = yes && y, no || n
			}
		}
		return yes, no
	}
	if c.uses(unknown) {
		return true, true
	}
	yes = c.holds(&q.Request, &q.Roles)
	return yes, !yes
}

// appendValues appends a text that is equal for subjects of which the condition is true
// for the same objects and actions.
func (c *cond) appendValues(key []byte, q *Questioner) []byte {
	add := func(text string) { key = append(binary.AppendUvarint(key, uint64(len(text))), text...) }
	for leaf := range c.leaves {
		switch {
		case !leaf.uses(isObjectOrAction):
			if leaf.holds(&q.Request, &q.Roles) {
				key = append(key, '+')
			} else {
				key = append(key, '-')
			}
			continue
		case leaf.grants:
			add(q.Request.Subject)
			add(q.Request.Tenant)
			for _, role := range q.Roles.Prefixed() {
				add(role)
			}
		}
		for _, o := range leaf.operands() {
			if o.Kind == model.OperandRequest && !isObjectOrAction(o) {
				add(textOf(o, &q.Request))
			}
		}
		key = append(key, '?')
	}
	return key
}
