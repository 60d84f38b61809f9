package model

import (
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

// An expr is a matcher or a part of one, in the forms an index understands.
// Everything in it is a value of an attribute type or a truth value, so
// evaluating it cannot fail, save for its parts of kind other.
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

// exprParser parses the tokens of a matcher by recursive descent, with
// govaluate's precedence: "||" below "&&" below comparisons below "!".
type exprParser struct {
	schema *Schema
	tokens []Token
	next   int
}

// parseMatcher is the matcher of a schema as an expr. The error says why it is
// none, even with parts that an index cannot follow.
func parseMatcher(s *Schema) (*Expr, error) {
	p := &exprParser{schema: s, tokens: s.MatcherTokens}
	x, err := p.or()
	if err == nil && p.next < len(p.tokens) {
		err = p.unexpected()
	}
	return x, err
}

func (p *exprParser) unexpected() error {
	return fmt.Errorf("%q at offset %d", p.tokens[p.next].Text, p.tokens[p.next].From)
}

func (p *exprParser) or() (*Expr, error) { return p.chain("||", ExprOr, p.and) }

func (p *exprParser) and() (*Expr, error) { return p.chain("&&", ExprAnd, p.comparison) }

func (p *exprParser) chain(operator string, kind ExprKind, part func() (*Expr, error)) (*Expr, error) {
	first, err := part()
	if err != nil || !p.at(operator) {
		return first, err
	}
	x := &Expr{Kind: kind, Parts: []*Expr{first}}
	for p.take(operator) {
		more, err := part()
		if err != nil {
			return nil, err
		}
		x.Parts = append(x.Parts, more)
	}
	return x, nil
}

// comparison is a truth value, or what an index does not understand up to the
// next "&&", "||" or the end of a parenthesis.
func (p *exprParser) comparison() (*Expr, error) {
	start := p.next
	x, why := p.truth()
	if why == nil && !p.atEnd() {
		why = p.unexpected()
	}
	if why == nil {
		return x, nil
	}
	x = &Expr{Kind: exprOther, why: why}
	p.next = start
	for depth := 0; depth > 0 || !p.atEnd(); p.next++ {
		switch {
		case p.next == len(p.tokens) || depth == 0 && p.at(","):
			return nil, why
		case depth == 0 && (p.at("?") || p.at(":") || p.at("??")):
			return nil, why // which bind less than what has been read before
		case p.at("("):
			depth++
		case p.at(")"):
			depth--
		}
		x.touched = AddColumn(x.touched, p.schema.Column(p.tokens[p.next].Text))
	}
	if p.next == start {
		return nil, why
	}
	return x, nil
}

// atEnd reports whether a part of "&&" or "||" ends here.
func (p *exprParser) atEnd() bool {
	return p.next >= len(p.tokens) || p.at("&&") || p.at("||") || p.at(")")
}

// truth is a truth value, or two values compared.
func (p *exprParser) truth() (*Expr, error) {
	switch {
	case p.take("!"):
		x, err := p.truth()
		if err == nil && (x.Kind == ExprEqual || x.Kind == ExprOrder) {
			err = fmt.Errorf(`"!" before a comparison without parentheses`)
		}
		return &Expr{Kind: ExprNot, Parts: []*Expr{x}}, err
	case p.take("("):
		x, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis that is not closed")
		}
		if err == nil && (x.Kind == ExprEqual || x.Kind == ExprOrder) {
			x = &Expr{Kind: ExprAnd, Parts: []*Expr{x}} // closed to a "!" in front
		}
		return x, err
	case p.isCall():
		return p.call()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	operator := ""
	if !p.atEnd() {
		operator = p.tokens[p.next].Text
	}
	switch operator {
	case "==", "!=", "<", "<=", ">", ">=":
	case "in":
		p.next++
		return p.list(left)
	default:
		return nil, fmt.Errorf("a value that is not compared with ==")
	}
	p.next++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	return comparing(operator, left, right)
}

// list is a value that equals one of several.
func (p *exprParser) list(left Operand) (*Expr, error) {
	x := &Expr{Kind: ExprOr, whole: true}
	if !p.take("(") {
		return nil, fmt.Errorf("a list without parentheses")
	}
	for !p.take(")") {
		if len(x.Parts) > 0 && !p.take(",") {
			return nil, fmt.Errorf("a list of more than plain values")
		}
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		item, err := comparing("==", left, right)
		if err != nil {
			return nil, err
		}
		x.Parts = append(x.Parts, item)
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

func (p *exprParser) call() (*Expr, error) {
	x := &Expr{Kind: ExprCall, Function: p.tokens[p.next].Text}
	p.next += 2
	for !p.take(")") {
		if len(x.Operands) > 0 && !p.take(",") {
			return nil, fmt.Errorf("an argument of %s that is not a plain value", x.Function)
		}
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		x.Operands = append(x.Operands, o)
	}
	return x, p.checkCall(x)
}

// checkCall refuses calls that could fail or whose meaning an index does not
// know.
func (p *exprParser) checkCall(x *Expr) error {
	if width := p.schema.Roles[x.Function]; width != 0 {
		if len(x.Operands) != width {
			return fmt.Errorf("%s with %d arguments", x.Function, len(x.Operands))
		}
		return nil
	}
	// ipMatch fails for what is no address, which a text may be.
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

func (p *exprParser) operand() (Operand, error) {
	minus := p.take("-")
	if p.next >= len(p.tokens) {
		return Operand{}, fmt.Errorf("the end where a value was due")
	}
	t, of := p.tokens[p.next], p.schema.tokenTypes[p.next]
	p.next++
	switch {
	case t.Kind == TokenString && !minus:
		v, _ := ParseValue(of, t.Text)
		return Operand{of: of, Text: v.Text, Order: v.Order}, nil
	case t.Kind == TokenName && isDigits(t.Text[:1]):
		if minus {
			t.Text = "-" + t.Text
		}
		if v, ok := readNumber(t.Text); ok {
			return Operand{of: Number, Text: v.Text, Order: v.Order}, nil
		}
	case t.Kind == TokenName && !minus:
		if column := p.schema.Column(t.Text); column >= 0 {
			return Operand{Kind: operandPolicy, of: of, column: column}, nil
		}
		if field, ok := p.schema.RequestField(t.Text); ok {
			return Operand{Kind: OperandRequest, of: of, Field: field}, nil
		}
	}
	return Operand{}, fmt.Errorf("%q at offset %d", t.Text, t.From)
}

func (p *exprParser) isCall() bool {
	return p.next+1 < len(p.tokens) && p.tokens[p.next].Kind == TokenName &&
		p.tokens[p.next+1].Kind == TokenOther && p.tokens[p.next+1].Text == "("
}

func (p *exprParser) at(text string) bool {
	return p.next < len(p.tokens) && p.tokens[p.next].Kind == TokenOther && p.tokens[p.next].Text == text
}

func (p *exprParser) take(text string) bool {
	if !p.at(text) {
		return false
	}
	p.next++
	return true
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
