package model

import (
	"errors"
	"fmt"
	"slices"
)

// Bind returns o with a policy column replaced by its value in fields.
func (o Operand) Bind(fields []string) Operand {
	if o.Kind == operandPolicy {
		v, ok := ParseValue(o.typ, fields[o.column])
		return Operand{typ: o.typ, Text: v.Text, Order: v.Order, Bad: !ok}
	}
	return o
}

// InOrder reports whether the comparison of left with right by operator is true.
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

// Expr is a matcher or a part of one, in the forms that an index supports. Every
// part is a value of an attribute type or a truth value, so that evaluating it
// cannot fail, except for parts of kind exprUnsupported.
type Expr struct {
	Kind ExprKind
	// Parts are those of and, or and not; Operands those of equal, order and call.
	Parts    []*Expr
	Operands []Operand
	// Function is the called function, or the operator of order.
	Function string
	Value    bool // of a constant
	// evaluatesAll reports that all parts are evaluated, whatever the first ones
	// return.
	evaluatesAll bool
	// columns are the columns that an unsupported part uses, and reason says why an
	// index does not support it.
	columns []int
	reason  error
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
	exprUnsupported
)

// Operand is a value of the request, of the rule, or of the matcher itself.
type Operand struct {
	Kind   operandKind
	typ    AttributeType
	Field  RequestField
	column int
	// Text and Order are a value. Bad reports that the rule has no valid value,
	// where it is never evaluated.
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

// readExpr converts a part of the matcher as far as an index supports it. It returns
// nil for a choice, whose precedence is lower than that of everything an index
// supports.
func (s *Schema) readExpr(n *Node) *Expr {
	kind := ExprOr
	switch n.Kind {
	case NodeChoice, NodeList:
		return nil
	case NodeAnd:
		kind = ExprAnd
	case NodeOr:
	default:
		x, why := s.condition(n)
		if why != nil {
			return &Expr{Kind: exprUnsupported, reason: why, columns: s.ColumnsIn(n)}
		}
		return x
	}
	x := &Expr{Kind: kind}
	for _, part := range n.Parts {
		x.Parts = append(x.Parts, s.readExpr(part))
	}
	return x
}

// condition converts a condition. The error says what an index does not support.
func (s *Schema) condition(n *Node) (*Expr, error) {
	switch {
	case n.Kind == NodePrefix && n.Text == "!":
		x, err := s.condition(n.Parts[0])
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
	return newComparison(n.Text, left, right)
}

func (s *Schema) unexpected(token int) error {
	t := s.tokens[token]
	return fmt.Errorf("%q at offset %d", t.text, t.from)
}

// readExprList converts "in" to alternatives.
func (s *Schema) readExprList(n *Node) (*Expr, error) {
	left, err := s.operand(n.Parts[0])
	if err != nil {
		return nil, err
	}
	if n.Parts[1].Kind != NodeGroup {
		return nil, errors.New("a list without parentheses")
	}
	x := &Expr{Kind: ExprOr, evaluatesAll: true}
	for _, item := range n.Parts[1].items() {
		right, err := s.operand(item)
		if err != nil {
			return nil, err
		}
		made, err := newComparison("==", left, right)
		if err != nil {
			return nil, err
		}
		x.Parts = append(x.Parts, made)
	}
	return x, nil
}

// newComparison returns the comparison of two values.
func newComparison(operator string, left, right Operand) (*Expr, error) {
	equal := &Expr{Kind: ExprEqual, Operands: []Operand{left, right}}
	switch {
	case left.typ != right.typ:
		return nil, fmt.Errorf("a comparison of %s with %s", left.typ, right.typ)
	case operator == "==":
		return equal, nil
	case operator == "!=":
		return &Expr{Kind: ExprNot, Parts: []*Expr{equal}}, nil
	case !IsOrdered(left.typ):
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

// checkCall refuses calls that could fail or that an index does not support.
func (s *Schema) checkCall(x *Expr) error {
	if width := s.Roles[x.Function]; width != 0 {
		if len(x.Operands) != width {
			return fmt.Errorf("%s with %d arguments", x.Function, len(x.Operands))
		}
		return nil
	}
	// ipMatch fails if its argument, which may be any text, is not an address.
	address := x.Function == "ipMatch" && len(x.Operands) > 0 && x.Operands[0].typ == IPAddress
	if !address && !slices.Contains(indexedFunctions, x.Function) {
		return fmt.Errorf("the function %s", x.Function)
	}
	if len(x.Operands) != 2 || x.Operands[1].Kind == OperandRequest {
		return fmt.Errorf("the arguments of %s", x.Function)
	}
	return nil
}

// indexedFunctions are Casbin's matcher functions that an index supports.
var indexedFunctions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"}

func (s *Schema) operand(n *Node) (Operand, error) {
	of := s.tokenTypes[n.token]
	switch n.Kind {
	case NodeText:
		v, _ := ParseValue(of, n.Text)
		return Operand{typ: of, Text: v.Text, Order: v.Order}, nil
	case NodePrefix:
		if n.Text == "-" && n.Parts[0].Kind == NodeNumber {
			return s.number("-"+n.Parts[0].Text, n)
		}
	case NodeNumber:
		return s.number(n.Text, n)
	case NodeName:
		if column := s.Column(n.Text); column >= 0 {
			return Operand{Kind: operandPolicy, typ: of, column: column}, nil
		}
		if field, ok := s.RequestField(n.Text); ok {
			return Operand{Kind: OperandRequest, typ: of, Field: field}, nil
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
		return Operand{typ: Number, Text: v.Text, Order: v.Order}, nil
	}
	return Operand{}, s.unexpected(n.first)
}

// Flat returns the operands of nested expressions of one kind (ExprAnd or ExprOr),
// to any depth; only x if it is of another kind.
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

// Columns returns the policy columns that x uses.
func (x *Expr) Columns() []int {
	columns := slices.Clone(x.columns)
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

// Pair returns the sides of an equality, or the arguments of a call, of which one is
// a policy column: for a call, the second.
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

// Unsupported says what part of x an index does not support, or nil.
func (x *Expr) Unsupported() error {
	if x.Kind == exprUnsupported {
		return x.reason
	}
	for _, part := range x.Parts {
		if why := part.Unsupported(); why != nil {
			return why
		}
	}
	return nil
}
