package casbinrules

import (
	"fmt"
	"slices"

	"github.com/casbin/govaluate"
)

// valueType is what a part of a matcher gives. Fields of requests and rules are
// texts, always.
type valueType uint8

const (
	typeAny valueType = iota // of a choice by "?"
	typeText
	typeBool
	typeNumber
	typeList
)

func (t valueType) String() string {
	return [...]string{"a value", "a text", "true or false", "a number", "a list"}[t]
}

// typeChecker finds what would fail at a request though the syntax is good: the
// expression library looks at types only once it has the values, and only at
// those it comes by. It reads the library's own tokens, with its precedence.
type typeChecker struct {
	schema *schema
	tokens []govaluate.ExpressionToken
	calls  []call // in the order of function tokens
	next   int
	// problem is the first thing that would fail, and ends the checking.
	problem string
	// doubts are about what is evaluated, and never means what it says.
	doubts []string
}

// checkTypes refuses a matcher that would fail at a request, or that compares
// what is never equal.
func (s *schema) checkTypes(tokens []govaluate.ExpressionToken) {
	c := &typeChecker{schema: s, tokens: tokens, calls: calls(s.matcherTokens)}
	c.check()
	if c.problem != "" {
		s.refuseMatcher("fields of requests and rules are texts", "%s", c.problem)
		return
	}
	for _, doubt := range c.doubts {
		s.doubtMatcher("%s", doubt)
	}
}

func (c *typeChecker) check() {
	switch t := c.list(); {
	case c.next < len(c.tokens):
		c.fail("the matcher goes on behind its end")
	case t == typeNumber:
		c.doubt("the matcher gives a number, and with an empty policy Casbin panics on it")
	default:
		c.want("the matcher", t, typeBool)
	}
}

// fail notes the problem and has nothing more read.
func (c *typeChecker) fail(format string, args ...any) {
	if c.problem == "" {
		c.problem = fmt.Sprintf(format, args...)
	}
	c.next = len(c.tokens)
}

func (c *typeChecker) doubt(format string, args ...any) {
	c.doubts = append(c.doubts, fmt.Sprintf(format, args...))
}

func (c *typeChecker) want(what string, got, wanted valueType) {
	if got != wanted && got != typeAny {
		c.fail("%s is %s where Casbin needs %s", what, got, wanted)
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

// list is values separated by commas.
func (c *typeChecker) list() valueType {
	t := c.choice()
	for {
		if _, ok := c.take(govaluate.SEPARATOR); !ok {
			return t
		}
		c.choice()
		t = typeList
	}
}

func (c *typeChecker) choice() valueType {
	t := c.logical(0)
	for {
		operator, ok := c.take(govaluate.TERNARY)
		if !ok {
			return t
		}
		if operator == "?" {
			c.want("the left side of ?", t, typeBool)
		}
		c.logical(0)
		t = typeAny
	}
}

// logical is || at level 0 and && at level 1.
func (c *typeChecker) logical(level int) valueType {
	part := c.comparison
	if level == 0 {
		part = func() valueType { return c.logical(1) }
	}
	operator := []string{"||", "&&"}[level]
	t := part()
	for {
		if _, ok := c.take(govaluate.LOGICALOP, operator); !ok {
			return t
		}
		c.want("a side of "+operator, t, typeBool)
		c.want("a side of "+operator, part(), typeBool)
		t = typeBool
	}
}

func (c *typeChecker) comparison() valueType {
	left := c.modified(0)
	for {
		operator, ok := c.take(govaluate.COMPARATOR)
		if !ok {
			return left
		}
		c.compare(operator, left, c.modified(0))
		left = typeBool
	}
}

func (c *typeChecker) compare(operator string, left, right valueType) {
	known := left != typeAny && right != typeAny
	switch operator {
	case "==", "!=":
		if known && left != right {
			c.doubt("%s is compared with %s, and the two are never equal", left, right)
		}
	case "in":
		c.want("the right side of in", right, typeList)
	case "=~", "!~":
		c.want("the left side of "+operator, left, typeText)
		c.want("the right side of "+operator, right, typeText)
	default:
		if known && (left != right || left != typeText && left != typeNumber) {
			c.fail("%s is compared with %s by %s", left, right, operator)
		}
	}
}

// modifiers are the operators of each level, the loosest first.
var modifiers = [][]string{{"^", "&", "|"}, {">>", "<<"}, {"+", "-"}, {"*", "/", "%"}, {"**"}}

func (c *typeChecker) modified(level int) valueType {
	if level == len(modifiers) {
		return c.value()
	}
	left := c.modified(level + 1)
	for {
		operator, ok := c.take(govaluate.MODIFIER, modifiers[level]...)
		if !ok {
			return left
		}
		right := c.modified(level + 1)
		if operator == "+" && (left == typeText || right == typeText) {
			left = typeText // the other side is written out
			continue
		}
		c.want("the left side of "+operator, left, typeNumber)
		c.want("the right side of "+operator, right, typeNumber)
		left = typeNumber
	}
}

func (c *typeChecker) value() valueType {
	if c.next >= len(c.tokens) {
		c.fail("the matcher ends where a value was due")
		return typeAny
	}
	t := c.tokens[c.next]
	c.next++
	switch t.Kind {
	case govaluate.PREFIX:
		wanted := typeNumber
		if t.Value == "!" {
			wanted = typeBool
		}
		c.want(fmt.Sprintf("the value behind %s", t.Value), c.value(), wanted)
		return wanted
	case govaluate.CLAUSE:
		return c.clause()
	case govaluate.FUNCTION:
		return c.call()
	case govaluate.NUMERIC:
		return typeNumber
	case govaluate.BOOLEAN:
		return typeBool
	case govaluate.TIME:
		c.doubt("Casbin takes a text that reads as a date for a point in time, which equals no text")
		return typeNumber
	case govaluate.STRING, govaluate.VARIABLE, govaluate.PATTERN:
		return typeText
	default:
		c.fail("the matcher has %v, which is not supported", t.Value)
		return typeAny
	}
}

// clause is what stands in parentheses; "in" takes one constant for a list.
func (c *typeChecker) clause() valueType {
	start := c.next
	t := c.list()
	if _, ok := c.take(govaluate.CLAUSE_CLOSE); !ok {
		c.fail("a parenthesis is not closed")
	}
	listed := start > 1 && c.tokens[start-2].Kind == govaluate.COMPARATOR && c.tokens[start-2].Value == "in"
	if listed && c.next-start == 2 && c.tokens[start].Kind != govaluate.VARIABLE {
		return typeList
	}
	return t
}

func (c *typeChecker) call() valueType {
	made := c.calls[0]
	c.calls = c.calls[1:]
	if _, ok := c.take(govaluate.CLAUSE); !ok {
		c.fail("%s is not called", made.name)
	}
	n := 0
	for c.next < len(c.tokens) && c.tokens[c.next].Kind != govaluate.CLAUSE_CLOSE {
		if _, ok := c.take(govaluate.SEPARATOR); n > 0 && !ok {
			c.fail("the arguments of %s are not separated by commas", made.name)
		}
		n++
		c.want(fmt.Sprintf("argument %d of %s", n, made.name), c.choice(), typeText)
	}
	if _, ok := c.take(govaluate.CLAUSE_CLOSE); !ok {
		c.fail("the arguments of %s do not end", made.name)
		return typeAny
	}
	return c.result(made.name, n)
}

// result is what a function gives; n is the number of its arguments.
func (c *typeChecker) result(name string, n int) valueType {
	if width := c.schema.roles[name]; width != 0 {
		switch {
		case n != 2 && n != 3:
			c.fail("%s has %d arguments, and its definition %d", name, n, width)
		case n != width:
			c.doubt("%s has %d arguments, and its definition %d: Casbin then looks past the tenant", name, n, width)
		}
		return typeBool
	}
	if c.schema.file.config.functions[name] != nil {
		return typeBool
	}
	want, t := 2, typeBool
	switch name {
	case "keyGet":
		t = typeText
	case "keyGet2", "keyGet3":
		want, t = 3, typeText
	}
	if n != want {
		c.fail("%s has %d arguments and takes %d", name, n, want)
	}
	return t
}

// doubtMatcher reports what Casbin evaluates, and makes something else of.
func (s *schema) doubtMatcher(format string, args ...any) {
	s.refuseMatcher("", format, args...)
	if s.file.config.asCasbin {
		s.file.findings[len(s.file.findings)-1].Severity = SeverityWarning
	}
}
