package model

import (
	"slices"
)

// truth is what is known about a condition for one rule and any request.
type truth int8

const (
	unknown truth = iota
	always
	never
)

// Reaches reports whether evaluating the matcher for a rule with these fields may
// reach a part for which uses returns true. Casbin evaluates from left to right and
// stops once the result is determined, so that in
//
//	p.act == "*" || regexMatch(r.act, p.act)
//
// no rule with "*" ever reaches regexMatch.
func (s *Schema) Reaches(fields []string, uses func(x *Expr) bool) bool {
	if s.Expr == nil {
		return true
	}
	reached := false
	s.Expr.evaluate(fields, func(x *Expr) { reached = reached || uses(x) })
	return reached
}

// evaluate evaluates x as far as the fields of a rule determine it, and calls visit
// for each part that it evaluates.
func (x *Expr) evaluate(fields []string, visit func(*Expr)) truth {
	switch x.Kind {
	case ExprAnd, ExprOr:
		stop, other := never, always
		if x.Kind == ExprOr {
			stop, other = always, never
		}
		sum := other
		for _, part := range x.Parts {
			switch part.evaluate(fields, visit) {
			case stop:
				if !x.evaluatesAll {
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
	case ExprNot:
		switch x.Parts[0].evaluate(fields, visit) {
		case always:
			return never
		case never:
			return always
		}
		return unknown
	case ExprConstant:
		return truthOf(x.Value)
	}
	visit(x)
	if x.Kind != ExprEqual && x.Kind != ExprOrder {
		return unknown
	}
	left, right := x.Operands[0].Bind(fields), x.Operands[1].Bind(fields)
	if left.Bad || right.Bad || left.Kind != OperandText || right.Kind != OperandText {
		return unknown
	}
	if x.Kind == ExprEqual {
		return truthOf(left.Text == right.Text)
	}
	return truthOf(InOrder(x.Function, left.Order, right.Order))
}

func truthOf(value bool) truth {
	if value {
		return always
	}
	return never
}

// TakesPattern reports whether x passes a column to a function as its pattern.
func (x *Expr) TakesPattern(p PatternColumn) bool {
	if x.Kind == exprUnsupported {
		return slices.Contains(x.columns, p.Column)
	}
	return x.Kind == ExprCall && x.Function == p.Function && slices.ContainsFunc(x.Operands, func(o Operand) bool {
		return o.Kind == operandPolicy && o.column == p.Column
	})
}

// TakesValue reports whether x compares a column as a value of its type.
func (x *Expr) TakesValue(c typedColumn) bool {
	return slices.Contains(x.columns, c.Column) || slices.ContainsFunc(x.Operands, func(o Operand) bool {
		return o.Kind == operandPolicy && o.column == c.Column && o.typ == c.Kind
	})
}
