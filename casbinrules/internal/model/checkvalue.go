package model

import (
	"fmt"

	"github.com/casbin/govaluate"
)

// compare checks a comparison. Policy fields take the type of the attribute that
// they are compared with.
func (c *typeChecker) compare(at int, operator string, left, right part) {
	switch operator {
	case "in":
		c.require("the right side of in", right, typeList)
		for _, item := range right.items {
			c.equal(at, left, item)
		}
	case "=~", "!~":
		c.require("the left side of "+operator, left, typeText)
		c.require("the right side of "+operator, right, typeText)
	case "==", "!=":
		c.equal(at, left, right)
	default:
		c.order(at, operator, left, right)
	}
}

// equal checks a comparison for equality, whose sides must have one type.
func (c *typeChecker) equal(at int, left, right part) {
	if c.isKeyword(left, right) || c.isKeyword(right, left) {
		return // a keyword instead of a value, such as p.min == "*"
	}
	c.unify(&left, &right)
	if left.kind != right.kind && left.kind != typeAny && right.kind != typeAny {
		c.warn(at, c.comparisonHint(left, right), "%s is compared with %s, and the two are never equal", left.kind, right.kind)
	}
}

// isKeyword reports whether a typed policy field is compared with a constant that is
// not a value of its type: a keyword that rules may have instead of a value.
func (c *typeChecker) isKeyword(field, word part) bool {
	if field.column < 0 || !word.literal || word.kind != typeText {
		return false
	}
	t := c.columnTypes[field.column]
	_, isValue := ParseValue(t, c.schema.tokens[word.first].text)
	if t == Text || isValue {
		return false
	}
	delete(c.typedTokens, field.first) // the field is a text here
	return true
}

// order checks a comparison by <, <=, > or >=.
func (c *typeChecker) order(at int, operator string, left, right part) {
	c.unify(&left, &right)
	t, typed := left.kind.typed()
	switch {
	case left.kind == typeAny || right.kind == typeAny:
	case left.kind != right.kind:
		c.fail(at, c.comparisonHint(left, right), "%s is compared with %s by %s", left.kind, right.kind, operator)
	case left.kind == typeText:
		c.warn(at, c.comparisonHint(left, right), `%s compares texts byte by byte, so "9" is more than "18"`, operator)
	case !typed:
		c.fail(at, "", "%s has no order, so %s is meaningless", left.kind, operator)
	case !IsOrdered(t):
		c.fail(at, "compare addresses with ==, or with ipMatch and a network", "%s has no order, so %s is meaningless", left.kind, operator)
	}
}

// comparisonHint says how to make a comparison meaningful.
func (c *typeChecker) comparisonHint(left, right part) string {
	sides := [...]part{left, right}
	for _, side := range sides {
		if name := c.attributeName(side); side.kind == typeText && name != "" {
			return fmt.Sprintf("declare the type of %[1]s with WithAttributeType, or --attribute %[1]s=number (or time, date, ip)", name)
		}
	}
	for i, side := range sides {
		if side.kind == typeText && side.literal && sides[1-i].kind == typeNumber {
			return "write a number without quotes"
		}
	}
	return "compare with an attribute that is declared as a number, a time or a date (WithAttributeType, or --attribute age=number)"
}

// attributeName returns the name of the attribute that a part is, or "".
func (c *typeChecker) attributeName(p part) string {
	if p.literal || p.column >= 0 || p.first >= len(c.schema.tokens) {
		return ""
	}
	field, ok := c.schema.RequestField(c.schema.tokens[p.first].text)
	if !ok || field < FieldAttribute {
		return ""
	}
	return c.schema.Attributes[field-FieldAttribute]
}

// unify gives a policy field or a constant the type of the declared attribute that
// it is used with.
func (c *typeChecker) unify(left, right *part) {
	for _, sides := range [][2]*part{{left, right}, {right, left}} {
		from, to := sides[0], sides[1]
		t, ok := from.kind.typed()
		if !ok || !from.declared || to.kind != typeText && to.kind != typeNumber {
			continue
		}
		switch {
		case to.column >= 0 && to.kind == typeText:
			c.columnTypes[to.column] = t
			c.changed = true
			c.setType(to, t)
		case to.literal:
			c.typeLiteral(to, t)
		}
	}
}

// setType makes a part a value of a type.
func (c *typeChecker) setType(p *part, t AttributeType) {
	p.kind, p.declared = valueTypes[t], true
	c.typedTokens[p.first] = t
}

// typeLiteral makes a constant a value of a type, if it has its form.
func (c *typeChecker) typeLiteral(p *part, t AttributeType) {
	token := c.schema.tokens[p.first]
	written := typeText // constants of times, dates and addresses are written as texts
	if t == Number {
		written = typeNumber
	}
	if moment := c.moments[p.first]; moment && t != Date || !moment && p.kind != written {
		return // reported by the caller
	}
	if _, ok := ParseValue(t, token.text); !ok {
		c.fail(p.first, "", "%q is not %s", token.text, DescribeType(t))
		return
	}
	delete(c.moments, p.first)
	c.setType(p, t)
}

// value returns the type of a name or a constant.
func (c *typeChecker) value(n *Node) part {
	p := computed(typeText, n.token)
	switch {
	case n.Kind == NodeName:
		c.variable(&p)
	case n.Kind == NodeNumber:
		p.kind, p.literal = typeNumber, true
	case n.Kind == NodeBool:
		p.kind = typeBool
	case c.tokens[n.token].Kind == govaluate.TIME:
		p.kind, p.literal = typeNumber, true
		c.moments[n.token] = true
	default:
		p.literal = true
	}
	return p
}

// variable sets the type of a field of the request or of the policy.
func (c *typeChecker) variable(p *part) {
	name := c.schema.tokens[p.first].text
	t := Text
	if p.column = c.schema.Column(name); p.column >= 0 {
		t = c.columnTypes[p.column]
	} else if field, ok := c.schema.RequestField(name); ok {
		t = c.schema.TypeOf(field)
	}
	if t != Text {
		c.setType(p, t)
	}
}

// prefixed checks "!", "-" or "~" and the value after it.
func (c *typeChecker) prefixed(n *Node) part {
	behind := c.part(n.Parts[0])
	p := computed(typeNumber, n.token)
	p.declared = behind.declared
	if n.Text == "!" {
		p.kind = typeBool
	}
	c.require("the value after "+n.Text, behind, p.kind)
	if n.Text == "~" && behind.declared {
		c.fail(n.token, "compute the value where the attribute is provided", "~ is undefined for some numbers")
	}
	return p
}

func (c *typeChecker) call(n *Node) part {
	for i, arg := range n.Parts {
		argument := c.part(arg)
		if n.Text == "ipMatch" && argument.kind == typeAddress {
			continue
		}
		c.require(fmt.Sprintf("argument %d of %s", i+1, n.Text), argument, typeText)
	}
	return computed(c.result(n.token, n.Text, len(n.Parts)), n.token)
}

// result returns the type of a function's result; n is the number of its arguments.
func (c *typeChecker) result(at int, name string, n int) valueType {
	if width := c.schema.Roles[name]; width != 0 {
		switch {
		case n != 2 && n != 3:
			c.fail(at, "", "%s is called with %d arguments, and its definition has %d", name, n, width)
		case n != width:
			c.warn(at, "", "%s is called with %d arguments, and its definition has %d: Casbin then ignores the tenant", name, n, width)
		}
		return typeBool
	}
	if name == "eval" || c.schema.File.Settings.Functions[name] != nil {
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
		c.fail(at, "", "%s is called with %d arguments instead of %d", name, n, want)
	}
	return t
}
