package casbinrules

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"github.com/casbin/casbin/v2/util"
)

// cond is what is left of an expr once the fields of a rule are known. A nil
// cond holds always.
type cond struct {
	kind  exprKind
	parts []*cond
	value bool // of a constant
	// left and right are compared; right is a constant when both are not of
	// the request.
	left, right operand
	operator    string // of an order
	// graph and the three names are a role question.
	graph  *graph
	grants bool // the links of the request count
	tenant operand
	// match is a pattern that left is held against.
	match pattern
}

// condition is what must hold for a rule besides: mostly that the action is the
// rule's, which is compared without going through a cond.
type condition struct {
	action string
	other  *cond // instead, if it is not nil
}

func newCondition(c *cond) condition {
	if c.kind == exprEqual {
		left, right := c.left, c.right
		if left.kind == operandText {
			left, right = right, left
		}
		if left.kind == operandRequest && left.field == fieldAction && right.kind == operandText {
			return condition{action: right.text}
		}
	}
	return condition{other: c}
}

// holds reports whether the condition is true of a request with these roles.
func (c *condition) holds(q *question, with *bearing) bool {
	if c.other == nil {
		return q.action == c.action
	}
	return c.other.holds(q, with)
}

// pattern reports whether a string matches. It is safe for concurrent use.
type pattern func(string) bool

// binder makes conds for the rules of one policy.
type binder struct {
	graphs   map[string]*graph
	patterns map[patternKey]pattern
	// unfit is a pattern that may fail at a request, which an index has no
	// answer to.
	unfit error
}

// bind is x for a rule with these fields.
func (b *binder) bind(x *expr, fields []string) *cond {
	switch x.kind {
	case exprAnd, exprOr:
		return b.bindChain(x, fields)
	case exprNot:
		part := b.bind(x.parts[0], fields)
		if part.kind == exprConstant {
			return &cond{value: !part.value}
		}
		return &cond{kind: exprNot, parts: []*cond{part}}
	case exprEqual:
		left, right := x.operands[0].with(fields), x.operands[1].with(fields)
		if left.kind == operandText && right.kind == operandText {
			return &cond{value: !left.bad && !right.bad && left.text == right.text}
		}
		if left.bad || right.bad {
			return &cond{}
		}
		return &cond{kind: exprEqual, left: left, right: right}
	case exprOrder:
		left, right := x.operands[0].with(fields), x.operands[1].with(fields)
		if left.bad || right.bad {
			return &cond{}
		}
		c := &cond{kind: exprOrder, left: left, right: right, operator: x.function}
		if left.kind == operandText && right.kind == operandText {
			return &cond{value: inOrder(x.function, left.order, right.order)}
		}
		return c
	case exprCall:
		c := &cond{kind: exprCall, left: x.operands[0].with(fields), right: x.operands[1].with(fields)}
		if c.graph = b.graphs[x.function]; c.graph == nil {
			c.match = b.compile(x.function, c.right.text)
			return c
		}
		c.grants = x.function == "g"
		if len(x.operands) == 3 {
			c.tenant = x.operands[2].with(fields)
		}
		return c
	default:
		return &cond{value: x.value}
	}
}

// bindChain leaves out the parts that do not matter any more.
func (b *binder) bindChain(x *expr, fields []string) *cond {
	c := &cond{kind: x.kind}
	stop := x.kind == exprOr // the value of a part that decides the whole
	for _, part := range x.parts {
		bound := b.bind(part, fields)
		switch {
		case bound.kind != exprConstant:
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

// with is o with a policy column replaced by its value.
func (o operand) with(fields []string) operand {
	if o.kind == operandPolicy {
		v, ok := o.of.read(fields[o.column])
		return operand{of: o.of, text: v.text, order: v.order, bad: !ok}
	}
	return o
}

// orderOf is what the operand is compared by in a request.
func (o *operand) orderOf(q *question) float64 {
	if o.kind == operandText {
		return o.order
	}
	return q.attribute(o.field).order
}

// inOrder reports whether two values are in the order that an operator asks for.
func inOrder(operator string, left, right float64) bool {
	switch operator {
	case "<":
		return left < right
	case "<=":
		return left <= right
	case ">":
		return left > right
	default:
		return left >= right
	}
}

// textOf is the operand's string in a request.
func (o *operand) textOf(q *question) string {
	if o.kind == operandText {
		return o.text
	}
	switch o.field {
	case fieldSubject:
		return q.subject
	case fieldTenant:
		return q.tenant
	case fieldObject:
		return q.object
	case fieldAction:
		return q.action
	default:
		return q.attribute(o.field).text
	}
}

// holds reports whether the condition is true of a request with these roles.
func (c *cond) holds(q *question, with *bearing) bool {
	switch c.kind {
	case exprAnd:
		for _, part := range c.parts {
			if !part.holds(q, with) {
				return false
			}
		}
		return true
	case exprOr:
		for _, part := range c.parts {
			if part.holds(q, with) {
				return true
			}
		}
		return false
	case exprNot:
		return !c.parts[0].holds(q, with)
	case exprEqual:
		return c.left.textOf(q) == c.right.textOf(q)
	case exprOrder:
		return inOrder(c.operator, c.left.orderOf(q), c.right.orderOf(q))
	case exprCall:
		if c.graph == nil {
			text := c.left.textOf(q)
			return !q.over(text) && c.match(text)
		}
		added := grant{subject: q.subject, tenant: q.tenant}
		if c.grants {
			added.roles = with.spelt()
		}
		return c.graph.linked(&added, c.tenant.textOf(q), c.left.textOf(q), c.right.textOf(q))
	default:
		return c.value
	}
}

// compile is a pattern of one of Casbin's matcher functions, compiled once and
// equal to the function in every answer. It was tried when it was read, so it
// compiles, unless it stands where it is never asked for an answer.
func (b *binder) compile(function, text string) pattern {
	key := patternKey{function, text}
	p := b.patterns[key]
	if p == nil {
		if function == "globMatch" && !isPlainGlob(text) {
			b.unfit = fmt.Errorf("the glob pattern %q, with more than *, ? and plain [sets]", text)
		}
		var err error
		if p, err = compilePattern(function, text); err != nil {
			p = func(string) bool { return false }
		}
		b.patterns[key] = p
	}
	return p
}

func compilePattern(function, text string) (pattern, error) {
	switch function {
	case "keyMatch":
		if prefix, _, ok := strings.Cut(text, "*"); ok {
			return func(s string) bool { return strings.HasPrefix(s, prefix) }, nil
		}
		return func(s string) bool { return s == text }, nil
	case "globMatch":
		return func(s string) bool {
			ok, _ := util.GlobMatch(s, text) // never fails where isPlainGlob
			return ok
		}, nil
	case "keyMatch4":
		return func(s string) bool { return util.KeyMatch4(s, text) }, checkPattern(function, text)
	case "ipMatch":
		return compileNetwork(text)
	case "regexMatch":
		re, err := regexp.Compile(text)
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	name := colonName
	if function != "keyMatch2" {
		name = braceName
	}
	re, err := regexp.Compile("^" + name.ReplaceAllLiteralString(strings.ReplaceAll(text, "/*", "/.*"), "[^/]+") + "$")
	if err != nil {
		return nil, err
	}
	if function != "keyMatch5" {
		return re.MatchString, nil
	}
	return func(s string) bool {
		path, _, _ := strings.Cut(s, "?")
		return re.MatchString(path)
	}, nil
}

// compileNetwork is ipMatch for texts that are addresses.
func compileNetwork(text string) (pattern, error) {
	within := func(net.IP) bool { return false }
	if _, network, err := net.ParseCIDR(text); err == nil {
		within = network.Contains
	} else if one := net.ParseIP(text); one != nil {
		within = one.Equal
	} else {
		return nil, err
	}
	return func(s string) bool {
		address, err := netip.ParseAddr(s)
		if err != nil {
			return false
		}
		bytes := address.As16()
		return within(bytes[:])
	}, nil
}

// plainSet is a set of characters that is plain to see.
var plainSet = regexp.MustCompile(`\[[!^]?[0-9A-Za-z_-]+\]`)

// isPlainGlob reports whether matching a glob pattern cannot fail, whatever it
// is held against: only sets, alternatives and backslashes can be wrong.
func isPlainGlob(text string) bool {
	return !strings.ContainsAny(plainSet.ReplaceAllString(text, ""), `[]{}\`)
}

// The named segments of patterns, as Casbin finds them.
var (
	colonName = regexp.MustCompile(`:[^/]+`)
	braceName = regexp.MustCompile(`\{[^/]+\}`)
)
