package model

import (
	"fmt"
	"slices"

	"github.com/casbin/govaluate"
)

// valueType is what a part of a matcher gives.
type valueType uint8

const (
	typeAny valueType = iota // of what has been refused already
	typeText
	typeBool
	typeNumber
	typeList
	typeTime
	typeDate
	typeAddress
)

func (t valueType) String() string {
	return [...]string{"a value", "a text", "true or false", "a number", "a list", "a time of day", "a date", "an IP address"}[t]
}

// valueTypes are what attributes of each type give.
var valueTypes = [...]valueType{Text: typeText, Number: typeNumber, TimeOfDay: typeTime, Date: typeDate, IPAddress: typeAddress}

// typed is the attribute type of values that are more than texts.
func (t valueType) typed() (AttributeType, bool) {
	at := slices.Index(valueTypes[:], t)
	return AttributeType(max(at, 0)), at > 0
}

// part is a part of a matcher as the checker sees it.
type part struct {
	kind valueType
	// first is its first token, by number.
	first int
	// column is the field of the policy that it is, or -1; literal says that it is
	// one constant.
	column  int
	literal bool
	// declared says that the type is that of a declared attribute, itself or
	// through a field that is compared with one.
	declared bool
	items    []part // of a list
}

// typeChecker finds what would fail at a request though the syntax is good, and
// what would compare by letter what is not a text: the expression library looks at
// types only once it has the values, and only at those it comes by.
type typeChecker struct {
	schema *Schema
	tokens []govaluate.ExpressionToken // the library's own, as many as the schema's
	// found are the types of the policy's fields so far, learned says that one
	// was added.
	found   map[int]AttributeType
	learned bool
	// moments are the constants that Casbin takes for points in time, by token.
	moments map[int]bool
	// typedTokens are the tokens that stand for values of a type, by number.
	typedTokens map[int]AttributeType
	// problem is the first thing that would fail.
	problem *typeProblem
	// doubts are about what is evaluated, and never means what it says.
	doubts []typeProblem
}

type typeProblem struct {
	token         int
	message, hint string
}

// checkTypes refuses a matcher that would fail at a request, or that compares
// what is never equal, and finds out which fields of the policy have a type.
func (s *Schema) checkTypes(tokens []govaluate.ExpressionToken) {
	if len(tokens) != len(s.tokens) {
		s.refuseMatcher("", "the matcher cannot be followed token by token")
		return
	}
	c := &typeChecker{schema: s, tokens: tokens, found: map[int]AttributeType{}}
	for again := true; again; again = c.learned && c.problem == nil {
		c.learned, c.doubts = false, nil
		c.typedTokens, c.moments = map[int]AttributeType{}, map[int]bool{}
		c.check()
	}
	for token := range c.moments {
		c.doubt(token, "", "Casbin takes a text that reads as a date for a point in time, which equals no text")
	}
	if c.problem != nil {
		s.reportToken(c.problem.token, CodeModelMatcher, c.problem.hint, "%s", c.problem.message)
		return
	}
	for _, doubt := range c.doubts {
		s.reportToken(doubt.token, CodeModelMatcher, doubt.hint, "%s", doubt.message)
	}
	s.tokenTypes = c.typedTokens
	for column := range s.Columns {
		if t := c.found[column]; t != Text {
			s.TypedColumns = append(s.TypedColumns, typedColumn{column, t})
		}
	}
}

func (c *typeChecker) check() {
	p := c.part(c.schema.Tree)
	if p.kind == typeNumber {
		c.doubt(p.first, "", "the matcher gives a number, and with an empty policy Casbin panics on it")
		return
	}
	c.want("the matcher", p, typeBool)
}

// fail notes the problem, if it is the first one.
func (c *typeChecker) fail(token int, hint, format string, args ...any) {
	if c.problem == nil {
		c.problem = &typeProblem{token, fmt.Sprintf(format, args...), hint}
	}
}

func (c *typeChecker) doubt(token int, hint, format string, args ...any) {
	c.doubts = append(c.doubts, typeProblem{token, fmt.Sprintf(format, args...), hint})
}

// hintTexts is what to do about a text where something else is due.
const hintTexts = "fields of requests and rules are texts, unless an attribute is declared as something else"

func (c *typeChecker) want(what string, got part, wanted valueType) {
	if got.kind != wanted && got.kind != typeAny {
		c.fail(got.first, hintTexts, "%s is %s where Casbin needs %s", what, got.kind, wanted)
	}
}

// made is a part that is computed.
func made(kind valueType, first int) part { return part{kind: kind, first: first, column: -1} }

// part checks a part of the matcher.
func (c *typeChecker) part(n *Node) part {
	switch n.Kind {
	case NodeList:
		return c.list(n)
	case NodeChoice:
		return c.choice(n)
	case NodeOr, NodeAnd:
		return c.logical(n)
	case NodeCompare:
		left, right := c.part(n.Parts[0]), c.part(n.Parts[1])
		if n.Text == "in" && n.Parts[1].Kind == NodeGroup {
			right = asList(n.Parts[1], right)
		}
		c.compare(n.token, n.Text, left, right)
		return made(typeBool, left.first)
	case NodeCompute:
		return c.compute(n.token, n.Text, c.part(n.Parts[0]), c.part(n.Parts[1]))
	case NodeGroup:
		return c.part(n.Parts[0])
	case NodePrefix:
		return c.prefixed(n)
	case NodeCall:
		return c.call(n)
	default:
		return c.value(n)
	}
}

func (c *typeChecker) list(n *Node) part {
	var items []part
	for _, item := range n.Parts {
		items = append(items, c.part(item))
	}
	p := made(typeList, items[0].first)
	p.items = items
	return p
}

// asList is what stands in parentheses behind "in", which takes one constant for
// a list.
func asList(group *Node, inner part) part {
	if only := group.Parts[0]; !only.isPlain() || only.Kind == NodeName {
		return inner
	}
	p := made(typeList, inner.first)
	p.items = []part{inner}
	return p
}

// choice is one of two values by "?" and ":", or "??".
func (c *typeChecker) choice(n *Node) part {
	left, right := c.part(n.Parts[0]), c.part(n.Parts[1])
	p := left
	p.declared = right.declared || left.declared && n.Text != "?"
	switch {
	case n.Text == "?":
		c.want("the left side of ?", left, typeBool)
		p.kind, p.first = right.kind, right.first
	case left.kind != right.kind && left.kind != typeAny && right.kind != typeAny:
		c.fail(n.token, "", "one side of %s is %s and the other %s", n.Text, left.kind, right.kind)
	}
	p.column, p.literal, p.items = -1, false, nil
	return p
}

func (c *typeChecker) logical(n *Node) part {
	first := 0
	for i, side := range n.Parts {
		p := c.part(side)
		if i == 0 {
			first = p.first
		}
		c.want("a side of "+n.Text, p, typeBool)
	}
	return made(typeBool, first)
}

// compute is what an operator between two values gives.
func (c *typeChecker) compute(at int, operator string, left, right part) part {
	c.unify(&left, &right)
	p := made(typeNumber, left.first)
	p.declared = left.declared || right.declared
	switch {
	case operator == "+" && left.kind == typeText && right.kind == typeText:
		p.kind = typeText
		return p
	case operator == "+" && (left.kind == typeText || right.kind == typeText) && left.kind != typeBool && right.kind != typeBool:
		c.doubt(at, hintTexts, "+ writes %s and %s one behind the other, as a text", left.kind, right.kind)
		p.kind = typeText
		return p
	case p.declared && !slices.Contains([]string{"+", "-", "*"}, operator):
		c.fail(at, "compute the value where the attribute is made", "%s has no result for some numbers", operator)
	}
	c.want("the left side of "+operator, left, typeNumber)
	c.want("the right side of "+operator, right, typeNumber)
	return p
}
