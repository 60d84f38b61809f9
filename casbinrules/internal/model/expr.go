package model

import (
	"errors"
	"fmt"
	"slices"
)

// With is o with a policy column replaced by its value.
func (o Operand) With(fields []string) Operand {
	if o.Kind == operandPolicy {
		v, ok := ParseValue(o.of, fields[o.column])
		return Operand{of: o.of, Text: v.Text, Order: v.Order, Bad: !ok}
	}
	return o
}

// InOrder reports whether two values are in the order that an operator asks for.
func InOrder(operator string, left, right float64) bool {
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

// Expr is a matcher or a part of one, in the forms an index understands.
// Everything in it is a value of an attribute type or a truth value, so
// evaluating it cannot fail, except for its parts of kind other.
type Expr struct {
	Kind ExprKind
	// Parts are those of and, or and not; operands those of equal, order and
	// call.
	Parts    []*Expr
	Operands []Operand
	// Function is what a call calls, or the operator of order.
	Function string
	Value    bool // of a constant
	// whole says that all parts are evaluated, whatever the first ones give.
	whole bool
	// touched are the columns that a part of kind other looks at; why says what
	// an index does not understand of it.
	touched []int
	why     error
}

type ExprKind uint8

const (
	ExprConstant ExprKind = iota
	ExprAnd
	ExprOr
	ExprNot
	ExprEqual
	ExprOrder
	ExprCall
	exprOther
)

// Operand is a value of the request, of the rule, or of the matcher itself.
type Operand struct {
	Kind   operandKind
	of     AttributeType
	Field  RequestField
	column int
	// Text and order are those of a value; bad says that a rule has none, where
	// it is never asked for one.
	Text  string
	Order float64
	Bad   bool
}

type operandKind uint8

const (
	OperandText operandKind = iota
	OperandRequest
	operandPolicy
)

// readExpr is a part of the matcher as far as an index understands it, or nil
// for a choice, which binds less than what an index follows.
func (s *Schema) readExpr(n *Node) *Expr {
	kind := ExprOr
	switch n.Kind {
	case NodeChoice, NodeList:
		return nil
	case NodeAnd:
		kind = ExprAnd
	case NodeOr:
	default:
		x, why := s.truth(n)
		if why != nil {
			return &Expr{Kind: exprOther, why: why, touched: s.ColumnsIn(n)}
		}
		return x
	}
	x := &Expr{Kind: kind}
	for _, part := range n.Parts {
		x.Parts = append(x.Parts, s.readExpr(part))
	}
	return x
}

// truth is a truth value, or two values compared. The error says what an index
// does not understand.
func (s *Schema) truth(n *Node) (*Expr, error) {
	switch {
	case n.Kind == NodePrefix && n.Text == "!":
		x, err := s.truth(n.Parts[0])
		return &Expr{Kind: ExprNot, Parts: []*Expr{x}}, err
	case n.Kind == NodeGroup:
		x := s.readExpr(n.Parts[0])
		if x == nil {
			return nil, s.unexpected(n.Parts[0].token)
		}
		return x, nil
	case n.Kind == NodeCall:
		return s.readExprCall(n)
	case n.Kind != NodeCompare:
		if _, err := s.operand(n); err != nil {
			return nil, err
		}
		return nil, errors.New("a value that is not compared with ==")
	case n.Text == "in":
		return s.readExprList(n)
	case n.Text == "=~", n.Text == "!~":
		return nil, errors.New("a value that is not compared with ==")
	}
	left, err := s.operand(n.Parts[0])
	if err != nil {
		return nil, err
	}
	right, err := s.operand(n.Parts[1])
	if err != nil {
		return nil, err
	}
	return comparing(n.Text, left, right)
}

func (s *Schema) unexpected(token int) error {
	t := s.tokens[token]
	return fmt.Errorf("%q at offset %d", t.text, t.from)
}

// readExprList is a value that equals one of several.
func (s *Schema) readExprList(n *Node) (*Expr, error) {
	left, err := s.operand(n.Parts[0])
	if err != nil {
		return nil, err
	}
	if n.Parts[1].Kind != NodeGroup {
		return nil, errors.New("a list without parentheses")
	}
	x := &Expr{Kind: ExprOr, whole: true}
	for _, item := range n.Parts[1].items() {
		right, err := s.operand(item)
		if err != nil {
			return nil, err
		}
		made, err := comparing("==", left, right)
		if err != nil {
			return nil, err
		}
		x.Parts = append(x.Parts, made)
	}
	return x, nil
}

// comparing is two values compared.
func comparing(operator string, left, right Operand) (*Expr, error) {
	equal := &Expr{Kind: ExprEqual, Operands: []Operand{left, right}}
	switch {
	case left.of != right.of:
		return nil, fmt.Errorf("a comparison of %s with %s", left.of, right.of)
	case operator == "==":
		return equal, nil
	case operator == "!=":
		return &Expr{Kind: ExprNot, Parts: []*Expr{equal}}, nil
	case !IsOrdered(left.of):
		return nil, fmt.Errorf("a comparison of texts by %s", operator)
	}
	return &Expr{Kind: ExprOrder, Function: operator, Operands: []Operand{left, right}}, nil
}

func (s *Schema) readExprCall(n *Node) (*Expr, error) {
	x := &Expr{Kind: ExprCall, Function: n.Text}
	for _, arg := range n.Parts {
		o, err := s.operand(arg)
		if err != nil && !arg.isPlain() {
			return nil, fmt.Errorf("an argument of %s that is not a plain value", n.Text)
		}
		if err != nil {
			return nil, err
		}
		x.Operands = append(x.Operands, o)
	}
	return x, s.checkCall(x)
}

// checkCall refuses calls that could fail or whose meaning an index does not
// know.
func (s *Schema) checkCall(x *Expr) error {
	if width := s.Roles[x.Function]; width != 0 {
		if len(x.Operands) != width {
			return fmt.Errorf("%s with %d arguments", x.Function, len(x.Operands))
		}
		return nil
	}
	// ipMatch fails for what is not an address, which a text may be.
	address := x.Function == "ipMatch" && len(x.Operands) > 0 && x.Operands[0].of == IPAddress
	if !address && !slices.Contains(indexedFunctions, x.Function) {
		return fmt.Errorf("the function %s", x.Function)
	}
	if len(x.Operands) != 2 || x.Operands[1].Kind == OperandRequest {
		return fmt.Errorf("the arguments of %s", x.Function)
	}
	return nil
}

// indexedFunctions are Casbin's matcher functions that an index understands.
var indexedFunctions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"}

func (s *Schema) operand(n *Node) (Operand, error) {
	of := s.tokenTypes[n.token]
	switch n.Kind {
	case NodeText:
		v, _ := ParseValue(of, n.Text)
		return Operand{of: of, Text: v.Text, Order: v.Order}, nil
	case NodePrefix:
		if n.Text == "-" && n.Parts[0].Kind == NodeNumber {
			return s.number("-"+n.Parts[0].Text, n)
		}
	case NodeNumber:
		return s.number(n.Text, n)
	case NodeName:
		if column := s.Column(n.Text); column >= 0 {
			return Operand{Kind: operandPolicy, of: of, column: column}, nil
		}
		if field, ok := s.RequestField(n.Text); ok {
			return Operand{Kind: OperandRequest, of: of, Field: field}, nil
		}
	}
	if n.Kind == NodeCall {
		if _, err := s.readExprCall(n); err != nil {
			return Operand{}, err
		}
	}
	return Operand{}, s.unexpected(n.first)
}

func (s *Schema) number(text string, n *Node) (Operand, error) {
	if v, ok := readNumber(text); ok {
		return Operand{of: Number, Text: v.Text, Order: v.Order}, nil
	}
	return Operand{}, s.unexpected(n.first)
}

// Flat are the parts of x joined by and (or by or), to any depth; x itself
// when it is of another kind.
func (x *Expr) Flat(kind ExprKind) []*Expr {
	if x.Kind != kind && (len(x.Parts) != 1 || x.Kind == ExprNot) {
		return []*Expr{x}
	}
	var parts []*Expr
	for _, part := range x.Parts {
		parts = append(parts, part.Flat(kind)...)
	}
	return parts
}

// Columns are the policy columns that x looks at.
func (x *Expr) Columns() []int {
	columns := slices.Clone(x.touched)
	for _, o := range x.Operands {
		if o.Kind == operandPolicy {
			columns = AddColumn(columns, o.column)
		}
	}
	for _, part := range x.Parts {
		for _, c := range part.Columns() {
			columns = AddColumn(columns, c)
		}
	}
	return columns
}

// Pair is the two sides of an equality or a call of two arguments whose one
// side is a policy column; for a call that is the second.
func (x *Expr) Pair() (other Operand, column int, ok bool) {
	if len(x.Operands) < 2 {
		return Operand{}, 0, false
	}
	a, b := x.Operands[0], x.Operands[1]
	if x.Kind == ExprEqual && a.Kind == operandPolicy {
		a, b = b, a
	}
	return a, b.column, b.Kind == operandPolicy && a.Kind != operandPolicy
}

// Foreign says what an index does not understand of x, or nil.
func (x *Expr) Foreign() error {
	if x.Kind == exprOther {
		return x.why
	}
	for _, part := range x.Parts {
		if why := part.Foreign(); why != nil {
			return why
		}
	}
	return nil
}
