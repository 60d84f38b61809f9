package engine

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// cond is an expression in which the fields of a rule have been replaced by their
// values. A nil cond is always true.
type cond struct {
	kind  model.ExprKind
	parts []*cond
	value bool // of a constant
	// left and right are compared. If only one of them is from the request, the
	// other is constant.
	left, right model.Operand
	operator    string // of a comparison of order
	// graph, with left, right and tenant, is a role call.
	graph  *policy.Graph
	grants bool // the roles of credentials count as links
	tenant model.Operand
	// match is the pattern that left is matched against, and function the function
	// it belongs to.
	match    pattern.Matcher
	function string
}

// condition is the condition of a rule that no table answers. Usually it only
// compares the action, which needs no cond.
type condition struct {
	action string
	other  *cond // used instead of action if not nil
}

func newCondition(c *cond) condition {
	if c.kind == model.ExprEqual {
		left, right := c.left, c.right
		if left.Kind == model.OperandText {
			left, right = right, left
		}
		if isAction(&left) && right.Kind == model.OperandText {
			return condition{action: right.Text}
		}
	}
	return condition{other: c}
}

// holds reports whether the condition is true of a request with these roles.
func (c *condition) holds(q *Request, with *TokenRoles) bool {
	if c.other == nil {
		return q.Action == c.action
	}
	return c.other.holds(q, with)
}

// binder builds the conds for the rules of one policy.
type binder struct {
	graphs   map[string]*policy.Graph
	patterns map[pattern.Key]pattern.Matcher
	// unsupported is a pattern that may fail at a request, which an index cannot
	// reproduce.
	unsupported error
	// usesGraphs reports that some cond calls a role definition.
	usesGraphs bool
}

// bind replaces columns in x by the fields of a rule.
func (b *binder) bind(x *model.Expr, fields []string) *cond {
	switch x.Kind {
	case model.ExprAnd, model.ExprOr:
		return b.bindChain(x, fields)
	case model.ExprNot:
		part := b.bind(x.Parts[0], fields)
		if part.kind == model.ExprConstant {
			return &cond{value: !part.value}
		}
		return &cond{kind: model.ExprNot, parts: []*cond{part}}
	case model.ExprEqual, model.ExprOrder:
		c := &cond{kind: x.Kind, left: x.Operands[0].Bind(fields), right: x.Operands[1].Bind(fields), operator: x.Function}
		switch {
		case c.left.Bad || c.right.Bad:
			return &cond{}
		case c.left.Kind == model.OperandText && c.right.Kind == model.OperandText:
			return &cond{value: c.holds(nil, nil)} // which asks for nothing of the request
		}
		return c
	case model.ExprCall:
		c := &cond{kind: model.ExprCall, left: x.Operands[0].Bind(fields), right: x.Operands[1].Bind(fields)}
		if c.graph = b.graphs[x.Function]; c.graph == nil {
			c.match, c.function = b.compile(x.Function, c.right.Text), x.Function
			return c
		}
		b.usesGraphs = true
		c.grants = x.Function == "g"
		if len(x.Operands) == 3 {
			c.tenant = x.Operands[2].Bind(fields)
		}
		return c
	default:
		return &cond{value: x.Value}
	}
}

// bindChain drops parts that are constant for the rule.
func (b *binder) bindChain(x *model.Expr, fields []string) *cond {
	c := &cond{kind: x.Kind}
	stop := x.Kind == model.ExprOr // the value of a part that determines the result
	for _, part := range x.Parts {
		bound := b.bind(part, fields)
		switch {
		case bound.kind != model.ExprConstant:
			c.parts = append(c.parts, bound)
		case bound.value == stop:
			return bound
		}
	}
	switch len(c.parts) {
	case 0:
		return &cond{value: !stop}
	case 1:
		return c.parts[0]
	default:
		return c
	}
}

// orderOf returns the value of an operand for a comparison of order.
func orderOf(o *model.Operand, q *Request) float64 {
	if o.Kind == model.OperandText {
		return o.Order
	}
	return q.attribute(o.Field).Order
}

// textOf returns the string value of an operand.
func textOf(o *model.Operand, q *Request) string {
	if o.Kind == model.OperandText {
		return o.Text
	}
	return q.Text(o.Field)
}

func (c *cond) holds(q *Request, with *TokenRoles) bool {
	switch c.kind {
	case model.ExprAnd:
		for _, part := range c.parts {
			if !part.holds(q, with) {
				return false
			}
		}
		return true
	case model.ExprOr:
		for _, part := range c.parts {
			if part.holds(q, with) {
				return true
			}
		}
		return false
	case model.ExprNot:
		return !c.parts[0].holds(q, with)
	case model.ExprEqual:
		return textOf(&c.left, q) == textOf(&c.right, q)
	case model.ExprOrder:
		return model.InOrder(c.operator, orderOf(&c.left, q), orderOf(&c.right, q))
	case model.ExprCall:
		if c.graph == nil {
			text := textOf(&c.left, q)
			return !q.canceled(text) && c.match(text)
		}
		added := policy.Grant{Subject: q.Subject, Tenant: q.Tenant, Now: q.Now}
		if c.grants {
			added.Roles = with.Prefixed()
		}
		return c.graph.Linked(&added, textOf(&c.tenant, q), textOf(&c.left, q), textOf(&c.right, q))
	default:
		return c.value
	}
}

// compile returns a pattern of one of Casbin's matcher functions, compiled once,
// with the same results as the function. Patterns have been checked while the policy
// was loaded; one that does not compile is in a place that is never evaluated.
func (b *binder) compile(function, text string) pattern.Matcher {
	key := pattern.Key{Function: function, Pattern: text}
	p := b.patterns[key]
	if p == nil {
		if function == "globMatch" && !pattern.IsPlainGlob(text) {
			b.unsupported = fmt.Errorf("the glob pattern %q, with more than *, ? and plain [sets]", text)
		}
		var err error
		if p, err = pattern.Compile(function, text); err != nil {
			p = func(string) bool { return false }
		}
		b.patterns[key] = p
	}
	return p
}
