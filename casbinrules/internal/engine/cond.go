package engine

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// cond is what is left of an expr once the fields of a rule are known. A nil
// cond holds always.
type cond struct {
	kind  model.ExprKind
	parts []*cond
	value bool // of a constant
	// left and right are compared; right is a constant when both are not of
	// the request.
	left, right model.Operand
	operator    string // of an order
	// graph and the three names are a role question.
	graph  *policy.Graph
	grants bool // the links of the request count
	tenant model.Operand
	// match is a pattern that left is held against, by function.
	match    pattern.Matcher
	function string
}

// condition is what must hold for a rule besides: mostly that the action is the
// rule's, which is compared without going through a cond.
type condition struct {
	action string
	other  *cond // instead, if it is not nil
}

func newCondition(c *cond) condition {
	if c.kind == model.ExprEqual {
		left, right := c.left, c.right
		if left.Kind == model.OperandText {
			left, right = right, left
		}
		if left.Kind == model.OperandRequest && left.Field == model.FieldAction && right.Kind == model.OperandText {
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

// binder makes conds for the rules of one policy.
type binder struct {
	graphs   map[string]*policy.Graph
	patterns map[pattern.Key]pattern.Matcher
	// unfit is a pattern that may fail at a request, which an index has no
	// answer to.
	unfit error
	// asksGraphs says that some cond has a graph.
	asksGraphs bool
}

// bind is x for a rule with these fields.
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
	case model.ExprEqual:
		left, right := x.Operands[0].With(fields), x.Operands[1].With(fields)
		if left.Kind == model.OperandText && right.Kind == model.OperandText {
			return &cond{value: !left.Bad && !right.Bad && left.Text == right.Text}
		}
		if left.Bad || right.Bad {
			return &cond{}
		}
		return &cond{kind: model.ExprEqual, left: left, right: right}
	case model.ExprOrder:
		left, right := x.Operands[0].With(fields), x.Operands[1].With(fields)
		if left.Bad || right.Bad {
			return &cond{}
		}
		c := &cond{kind: model.ExprOrder, left: left, right: right, operator: x.Function}
		if left.Kind == model.OperandText && right.Kind == model.OperandText {
			return &cond{value: model.InOrder(x.Function, left.Order, right.Order)}
		}
		return c
	case model.ExprCall:
		c := &cond{kind: model.ExprCall, left: x.Operands[0].With(fields), right: x.Operands[1].With(fields)}
		if c.graph = b.graphs[x.Function]; c.graph == nil {
			c.match, c.function = b.compile(x.Function, c.right.Text), x.Function
			return c
		}
		b.asksGraphs = true
		c.grants = x.Function == "g"
		if len(x.Operands) == 3 {
			c.tenant = x.Operands[2].With(fields)
		}
		return c
	default:
		return &cond{value: x.Value}
	}
}

// bindChain leaves out the parts that do not matter any more.
func (b *binder) bindChain(x *model.Expr, fields []string) *cond {
	c := &cond{kind: x.Kind}
	stop := x.Kind == model.ExprOr // the value of a part that decides the whole
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

// orderOf is what the operand is compared by in a request.
func orderOf(o *model.Operand, q *Request) float64 {
	if o.Kind == model.OperandText {
		return o.Order
	}
	return q.attribute(o.Field).Order
}

// textOf is the operand's string in a request.
func textOf(o *model.Operand, q *Request) string {
	if o.Kind == model.OperandText {
		return o.Text
	}
	switch o.Field {
	case model.FieldSubject:
		return q.Subject
	case model.FieldTenant:
		return q.Tenant
	case model.FieldObject:
		return q.Object
	case model.FieldAction:
		return q.Action
	default:
		return q.attribute(o.Field).Text
	}
}

// holds reports whether the condition is true of a request with these roles.
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
			return !q.over(text) && c.match(text)
		}
		added := policy.Grant{Subject: q.Subject, Tenant: q.Tenant, Now: q.Now}
		if c.grants {
			added.Roles = with.Spelled()
		}
		return c.graph.Linked(&added, textOf(&c.tenant, q), textOf(&c.left, q), textOf(&c.right, q))
	default:
		return c.value
	}
}

// compile is a pattern of one of Casbin's matcher functions, compiled once and
// equal to the function in every answer. It was tried when it was read, so it
// compiles, unless it stands where it is never asked for an answer.
func (b *binder) compile(function, text string) pattern.Matcher {
	key := pattern.Key{Function: function, Pattern: text}
	p := b.patterns[key]
	if p == nil {
		if function == "globMatch" && !pattern.IsPlainGlob(text) {
			b.unfit = fmt.Errorf("the glob pattern %q, with more than *, ? and plain [sets]", text)
		}
		var err error
		if p, err = pattern.Compile(function, text); err != nil {
			p = func(string) bool { return false }
		}
		b.patterns[key] = p
	}
	return p
}
