package model

import (
	"fmt"
	"slices"

	"github.com/casbin/govaluate"
)

// valueType is the type of the value of a part of a matcher.
type valueType uint8

const (
	typeAny valueType = iota // of a part that has already been refused
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

// valueTypes are the types of the values of attributes.
var valueTypes = [...]valueType{Text: typeText, Number: typeNumber, TimeOfDay: typeTime, Date: typeDate, IPAddress: typeAddress}

// typed returns the attribute type of values that are not plain texts.
func (t valueType) typed() (AttributeType, bool) {
	at := slices.Index(valueTypes[:], t)
	return AttributeType(max(at, 0)), at > 0
}

// part is a part of a matcher during type checking.
type part struct {
	kind valueType
	// first is the index of its first token.
	first int
	// column is the policy field that the part is, or -1; literal reports that it is
	// a single constant.
	column  int
	literal bool
	// declared reports that the type comes from a declared attribute, directly or
	// because the part is compared with one.
	declared bool
	items    []part // of a list
}

// typeChecker finds what would fail at a request although the syntax is valid, and
// comparisons that would treat other values as texts. The expression library checks
// types only when it has values, and only in the parts that it evaluates.
type typeChecker struct {
	schema *Schema
	tokens []govaluate.ExpressionToken // the library's own, as many as the schema's
	// columnTypes are the types of policy fields found so far, and changed reports
	// that one was added.
	columnTypes map[int]AttributeType
	changed     bool
	// moments are the constants that Casbin parses as points in time, by token.
	moments map[int]bool
	// typedTokens are the tokens that stand for typed values, by index.
	typedTokens map[int]AttributeType
	// problem is the first error.
	problem *typeProblem
	// warnings are about parts that can be evaluated, but do not mean what they seem
	// to say.
	warnings []typeProblem
}

type typeProblem struct {
	token         int
	message, hint string
}

// checkTypes refuses a matcher that would fail at a request or that compares values
// that are never equal, and determines which policy fields have a type.
func (s *Schema) checkTypes(tokens []govaluate.ExpressionToken) {
	if len(tokens) != len(s.tokens) {
		s.refuseMatcher("", "the matcher cannot be checked token by token")
		return
	}
	c := &typeChecker{schema: s, tokens: tokens, columnTypes: map[int]AttributeType{}}
	for again := true; again; again = c.changed && c.problem == nil {
		c.changed, c.warnings = false, nil
		c.typedTokens, c.moments = map[int]AttributeType{}, map[int]bool{}
		c.check()
	}
	for token := range c.moments {
		c.warn(token, "", "Casbin parses a text that looks like a date as a point in time, which never equals a text")
	}
	if c.problem != nil {
		s.reportToken(c.problem.token, CodeModelMatcher, c.problem.hint, "%s", c.problem.message)
		return
	}
	for _, doubt := range c.warnings {
		s.reportToken(doubt.token, CodeModelMatcher, doubt.hint, "%s", doubt.message)
	}
	s.tokenTypes = c.typedTokens
	for column := range s.Columns {
		if t := c.columnTypes[column]; t != Text {
			s.TypedColumns = append(s.TypedColumns, typedColumn{column, t})
		}
	}
}

func (c *typeChecker) check() {
	p := c.part(c.schema.Tree)
	if p.kind == typeNumber {
		c.warn(p.first, "", "the matcher evaluates to a number, on which Casbin panics if the policy is empty")
		return
	}
	c.require("the matcher", p, typeBool)
}

// fail records an error, if it is the first one.
func (c *typeChecker) fail(token int, hint, format string, args ...any) {
	if c.problem == nil {
		c.problem = &typeProblem{token, fmt.Sprintf(format, args...), hint}
	}
}

func (c *typeChecker) warn(token int, hint, format string, args ...any) {
	c.warnings = append(c.warnings, typeProblem{token, fmt.Sprintf(format, args...), hint})
}

// hintTexts is the hint for a text where another type is required.
const hintTexts = "fields of requests and rules are texts, unless an attribute is declared with another type"

func (c *typeChecker) require(what string, got part, wanted valueType) {
	if got.kind != wanted && got.kind != typeAny {
		c.fail(got.first, hintTexts, "%s is %s where Casbin needs %s", what, got.kind, wanted)
	}
}

// computed returns a part whose value is computed.
func computed(kind valueType, first int) part { return part{kind: kind, first: first, column: -1} }

// part checks a part of the matcher and returns its type.
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
		return computed(typeBool, left.first)
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
	p := computed(typeList, items[0].first)
	p.items = items
	return p
}

// asList returns what is in parentheses after "in". Casbin accepts a single constant
// there as a list.
func asList(group *Node, inner part) part {
	if only := group.Parts[0]; !only.isPlain() || only.Kind == NodeName {
		return inner
	}
	p := computed(typeList, inner.first)
	p.items = []part{inner}
	return p
}

// choice checks "?", ":" and "??".
func (c *typeChecker) choice(n *Node) part {
	left, right := c.part(n.Parts[0]), c.part(n.Parts[1])
	p := left
	p.declared = right.declared || left.declared && n.Text != "?"
	switch {
	case n.Text == "?":
		c.require("the left side of ?", left, typeBool)
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
		c.require("a side of "+n.Text, p, typeBool)
	}
	return computed(typeBool, first)
}

// compute returns the result of an operator with two values.
func (c *typeChecker) compute(at int, operator string, left, right part) part {
	c.unify(&left, &right)
	p := computed(typeNumber, left.first)
	p.declared = left.declared || right.declared
	switch {
	case operator == "+" && left.kind == typeText && right.kind == typeText:
		p.kind = typeText
		return p
	case operator == "+" && (left.kind == typeText || right.kind == typeText) && left.kind != typeBool && right.kind != typeBool:
		c.warn(at, hintTexts, "+ concatenates %s and %s to a text", left.kind, right.kind)
		p.kind = typeText
		return p
	case p.declared && !slices.Contains([]string{"+", "-", "*"}, operator):
		c.fail(at, "compute the value where the attribute is provided", "%s is undefined for some numbers", operator)
	}
	c.require("the left side of "+operator, left, typeNumber)
	c.require("the right side of "+operator, right, typeNumber)
	return p
}
