package casbinrules

import "slices"

// truth is what is known of a condition for one rule and any request.
type truth int8

const (
	unknown truth = iota
	always
	never
)

// reaches reports whether evaluating the matcher for a rule with these fields
// may come by a part that uses the given column as asked. Casbin evaluates from
// left to right and stops where the outcome is settled, so that in
//
//	p.act == "*" || regexMatch(r.act, p.act)
//
// no rule with "*" ever comes by regexMatch.
func (s *schema) reaches(fields []string, uses func(x *expr) bool) bool {
	if s.expr == nil {
		return true
	}
	reached := false
	s.expr.settle(fields, func(x *expr) { reached = reached || uses(x) })
	return reached
}

// settle evaluates x as far as the fields of a rule settle it, and calls visit
// for each part that is evaluated on the way.
func (x *expr) settle(fields []string, visit func(*expr)) truth {
	switch x.kind {
	case exprAnd, exprOr:
		stop, other := never, always
		if x.kind == exprOr {
			stop, other = always, never
		}
		sum := other
		for _, part := range x.parts {
			switch part.settle(fields, visit) {
			case stop:
				if !x.whole {
					return stop
				}
				sum = stop
			case unknown:
				if sum != stop {
					sum = unknown
				}
			}
		}
		return sum
	case exprNot:
		switch x.parts[0].settle(fields, visit) {
		case always:
			return never
		case never:
			return always
		}
		return unknown
	case exprConstant:
		return truthOf(x.value)
	}
	visit(x)
	if x.kind != exprEqual && x.kind != exprOrder {
		return unknown
	}
	left, right := x.operands[0].with(fields), x.operands[1].with(fields)
	if left.bad || right.bad || left.kind != operandText || right.kind != operandText {
		return unknown
	}
	if x.kind == exprEqual {
		return truthOf(left.text == right.text)
	}
	return truthOf(inOrder(x.function, left.order, right.order))
}

func truthOf(value bool) truth {
	if value {
		return always
	}
	return never
}

// takesPattern reports whether x hands a column to a function as its pattern.
func (x *expr) takesPattern(p patternColumn) bool {
	if x.kind == exprOther {
		return slices.Contains(x.touched, p.column)
	}
	return x.kind == exprCall && x.function == p.function && slices.ContainsFunc(x.operands, func(o operand) bool {
		return o.kind == operandPolicy && o.column == p.column
	})
}

// takesValue reports whether x compares a column as a value of its type.
func (x *expr) takesValue(c typedColumn) bool {
	return slices.Contains(x.touched, c.column) || slices.ContainsFunc(x.operands, func(o operand) bool {
		return o.kind == operandPolicy && o.column == c.column && o.of == c.kind
	})
}
