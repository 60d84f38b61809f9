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
// what would compare by letter what is no text: the expression library looks at
// types only once it has the values, and only at those it comes by. It reads the
// library's own tokens, with its precedence.
type typeChecker struct {
	schema *Schema
	tokens []govaluate.ExpressionToken
	calls  []call // in the order of function tokens
	next   int
	// found are the types of the policy's fields so far, learned says that one
	// was added.
	found   map[int]AttributeType
	learned bool
	// moments are the constants that Casbin takes for points in time, by token.
	moments map[int]bool
	// typedTokens are the tokens that stand for values of a type, by number.
	typedTokens map[int]AttributeType
	// problem is the first thing that would fail, and ends the checking.
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
	if len(tokens) != len(s.MatcherTokens) {
		s.refuseMatcher("", "the matcher cannot be followed token by token")
		return
	}
	c := &typeChecker{schema: s, tokens: tokens, found: map[int]AttributeType{}}
	for again := true; again; again = c.learned && c.problem == nil {
		c.calls, c.next, c.learned, c.doubts = Calls(s.MatcherTokens), 0, false, nil
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
	switch p := c.list(); {
	case c.next < len(c.tokens):
		c.fail(c.next, "", "the matcher goes on behind its end")
	case p.kind == typeNumber:
		c.doubt(p.first, "", "the matcher gives a number, and with an empty policy Casbin panics on it")
	default:
		c.want("the matcher", p, typeBool)
	}
}

// fail notes the problem and has nothing more read.
func (c *typeChecker) fail(token int, hint, format string, args ...any) {
	if c.problem == nil {
		c.problem = &typeProblem{token, fmt.Sprintf(format, args...), hint}
	}
	c.next = len(c.tokens)
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

// take takes the next token if it is of kind, and one of texts where any are
// given.
func (c *typeChecker) take(kind govaluate.TokenKind, texts ...string) (string, bool) {
	if c.next >= len(c.tokens) || c.tokens[c.next].Kind != kind {
		return "", false
	}
	text, _ := c.tokens[c.next].Value.(string)
	if len(texts) > 0 && !slices.Contains(texts, text) {
		return "", false
	}
	c.next++
	return text, true
}

// made is a part that is computed.
func made(kind valueType, first int) part { return part{kind: kind, first: first, column: -1} }

// list is values separated by commas.
func (c *typeChecker) list() part {
	p := c.choice()
	items := []part{p}
	for {
		if _, ok := c.take(govaluate.SEPARATOR); !ok {
			break
		}
		items = append(items, c.choice())
	}
	if len(items) > 1 {
		p = made(typeList, p.first)
		p.items = items
	}
	return p
}

// choice is one of several values by "?" and ":", or "??".
func (c *typeChecker) choice() part {
	p := c.logical(0)
	for {
		at := c.next
		operator, ok := c.take(govaluate.TERNARY)
		if !ok {
			return p
		}
		more := c.logical(0)
		declared := more.declared || p.declared && operator != "?"
		switch {
		case operator == "?":
			c.want("the left side of ?", p, typeBool)
			p = made(more.kind, more.first)
		case p.kind != more.kind && p.kind != typeAny && more.kind != typeAny:
			c.fail(at, "", "one side of %s is %s and the other %s", operator, p.kind, more.kind)
		}
		p.column, p.literal, p.declared = -1, false, declared
	}
}

// logical is || at level 0 and && at level 1.
func (c *typeChecker) logical(level int) part {
	side := c.comparison
	if level == 0 {
		side = func() part { return c.logical(1) }
	}
	operator := []string{"||", "&&"}[level]
	p := side()
	for {
		if _, ok := c.take(govaluate.LOGICALOP, operator); !ok {
			return p
		}
		c.want("a side of "+operator, p, typeBool)
		c.want("a side of "+operator, side(), typeBool)
		p = made(typeBool, p.first)
	}
}

func (c *typeChecker) comparison() part {
	left := c.modified(0)
	for {
		at := c.next
		operator, ok := c.take(govaluate.COMPARATOR)
		if !ok {
			return left
		}
		c.compare(at, operator, left, c.modified(0))
		left = made(typeBool, left.first)
	}
}

// modifiers are the operators of each level, the loosest first.
var modifiers = [][]string{{"^", "&", "|"}, {">>", "<<"}, {"+", "-"}, {"*", "/", "%"}, {"**"}}

func (c *typeChecker) modified(level int) part {
	if level == len(modifiers) {
		return c.value()
	}
	left := c.modified(level + 1)
	for {
		at := c.next
		operator, ok := c.take(govaluate.MODIFIER, modifiers[level]...)
		if !ok {
			return left
		}
		left = c.compute(at, operator, left, c.modified(level+1))
	}
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
