package casbinrules

import (
	"fmt"
	"slices"
)

// An expr is a matcher or a part of one, in the forms an index understands.
// Everything in it is a string or a truth value, so evaluating it cannot fail.
type expr struct {
	kind exprKind
	// parts are those of and, or and not; operands those of equal and of call.
	parts    []*expr
	operands []operand
	function string
	value    bool // of a constant
}

type exprKind uint8

const (
	exprConstant exprKind = iota
	exprAnd
	exprOr
	exprNot
	exprEqual
	exprCall
)

// operand is a string of the request, of the rule, or of the matcher itself.
type operand struct {
	kind   operandKind
	field  requestField
	column int
	text   string
}

type operandKind uint8

const (
	operandText operandKind = iota
	operandRequest
	operandPolicy
)

// exprParser parses the tokens of a matcher by recursive descent, with
// govaluate's precedence: "||" below "&&" below comparisons below "!".
type exprParser struct {
	schema *schema
	graphs map[string]*graph
	tokens []token
	next   int
}

// parseMatcher is the matcher of a schema as an expr. The error says what an
// index cannot follow.
func parseMatcher(s *schema, graphs map[string]*graph) (*expr, error) {
	p := &exprParser{schema: s, graphs: graphs, tokens: s.matcherTokens}
	x, err := p.or()
	if err == nil && p.next < len(p.tokens) {
		err = fmt.Errorf("%q at offset %d", p.tokens[p.next].text, p.tokens[p.next].from)
	}
	return x, err
}

func (p *exprParser) or() (*expr, error)  { return p.chain("||", exprOr, p.and) }
func (p *exprParser) and() (*expr, error) { return p.chain("&&", exprAnd, p.comparison) }

func (p *exprParser) chain(operator string, kind exprKind, part func() (*expr, error)) (*expr, error) {
	first, err := part()
	if err != nil || !p.at(operator) {
		return first, err
	}
	x := &expr{kind: kind, parts: []*expr{first}}
	for p.take(operator) {
		more, err := part()
		if err != nil {
			return nil, err
		}
		x.parts = append(x.parts, more)
	}
	return x, nil
}

// comparison is a truth value, or two strings compared.
func (p *exprParser) comparison() (*expr, error) {
	switch {
	case p.take("!"):
		x, err := p.comparison()
		if err == nil && x.kind == exprEqual {
			err = fmt.Errorf(`"!" before a comparison without parentheses`)
		}
		return &expr{kind: exprNot, parts: []*expr{x}}, err
	case p.take("("):
		x, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis that is not closed")
		}
		if err == nil && x.kind == exprEqual {
			x = &expr{kind: exprAnd, parts: []*expr{x}} // closed to a "!" in front
		}
		return x, err
	case p.isCall():
		return p.call()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	negated := p.at("!=")
	if !negated && !p.at("==") {
		return nil, fmt.Errorf("a value that is not compared with ==")
	}
	p.next++
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	x := &expr{kind: exprEqual, operands: []operand{left, right}}
	if negated {
		x = &expr{kind: exprNot, parts: []*expr{x}}
	}
	return x, nil
}

func (p *exprParser) call() (*expr, error) {
	x := &expr{kind: exprCall, function: p.tokens[p.next].text}
	p.next += 2
	for !p.take(")") {
		if len(x.operands) > 0 && !p.take(",") {
			return nil, fmt.Errorf("an argument of %s that is not a plain value", x.function)
		}
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		x.operands = append(x.operands, o)
	}
	return x, p.checkCall(x)
}

// checkCall refuses calls that could fail or whose meaning an index does not
// know.
func (p *exprParser) checkCall(x *expr) error {
	if g := p.graphs[x.function]; g != nil {
		want := 2
		if g.tenants {
			want = 3
		}
		if len(x.operands) != want {
			return fmt.Errorf("%s with %d arguments", x.function, len(x.operands))
		}
		return nil
	}
	if !slices.Contains(indexedFunctions, x.function) {
		return fmt.Errorf("the function %s", x.function)
	}
	if len(x.operands) != 2 || x.operands[1].kind == operandRequest {
		return fmt.Errorf("the arguments of %s", x.function)
	}
	return nil
}

// indexedFunctions are Casbin's matcher functions that an index understands.
var indexedFunctions = []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"}

func (p *exprParser) operand() (operand, error) {
	if p.next >= len(p.tokens) {
		return operand{}, fmt.Errorf("the end where a value was due")
	}
	t := p.tokens[p.next]
	p.next++
	if t.kind == tokenString {
		return operand{kind: operandText, text: t.text}, nil
	}
	if t.kind == tokenName {
		if column := p.schema.column(t.text); column >= 0 {
			return operand{kind: operandPolicy, column: column}, nil
		}
		if field, ok := p.schema.requestField(t.text); ok {
			return operand{kind: operandRequest, field: field}, nil
		}
	}
	return operand{}, fmt.Errorf("%q at offset %d", t.text, t.from)
}

func (p *exprParser) isCall() bool {
	return p.next+1 < len(p.tokens) && p.tokens[p.next].kind == tokenName &&
		p.tokens[p.next+1].kind == tokenOther && p.tokens[p.next+1].text == "("
}

func (p *exprParser) at(text string) bool {
	return p.next < len(p.tokens) && p.tokens[p.next].kind == tokenOther && p.tokens[p.next].text == text
}

func (p *exprParser) take(text string) bool {
	if !p.at(text) {
		return false
	}
	p.next++
	return true
}

// flat are the parts of x joined by and (or by or), to any depth; x itself
// when it is of another kind.
func (x *expr) flat(kind exprKind) []*expr {
	if x.kind != kind && !(len(x.parts) == 1 && x.kind != exprNot) {
		return []*expr{x}
	}
	var parts []*expr
	for _, part := range x.parts {
		parts = append(parts, part.flat(kind)...)
	}
	return parts
}

// columns are the policy columns that x looks at.
func (x *expr) columns() []int {
	var columns []int
	for _, o := range x.operands {
		if o.kind == operandPolicy {
			columns = addColumn(columns, o.column)
		}
	}
	for _, part := range x.parts {
		for _, c := range part.columns() {
			columns = addColumn(columns, c)
		}
	}
	return columns
}

// pair is the two sides of an equality or a call of two arguments whose one
// side is a policy column; for a call that is the second.
func (x *expr) pair() (other operand, column int, ok bool) {
	if len(x.operands) < 2 {
		return operand{}, 0, false
	}
	a, b := x.operands[0], x.operands[1]
	if x.kind == exprEqual && a.kind == operandPolicy {
		a, b = b, a
	}
	return a, b.column, b.kind == operandPolicy && a.kind != operandPolicy
}
