package casbinrules

import (
	"fmt"
	"slices"
)

// An expr is a matcher or a part of one, in the forms an index understands.
// Everything in it is a value of an attribute type or a truth value, so
// evaluating it cannot fail, save for its parts of kind other.
type expr struct {
	kind exprKind
	// parts are those of and, or and not; operands those of equal, order and
	// call.
	parts    []*expr
	operands []operand
	// function is what a call calls, or the operator of order.
	function string
	value    bool // of a constant
	// whole says that all parts are evaluated, whatever the first ones give.
	whole bool
	// touched are the columns that a part of kind other looks at; why says what
	// an index does not understand of it.
	touched []int
	why     error
}

type exprKind uint8

const (
	exprConstant exprKind = iota
	exprAnd
	exprOr
	exprNot
	exprEqual
	exprOrder
	exprCall
	exprOther
)

// operand is a value of the request, of the rule, or of the matcher itself.
type operand struct {
	kind   operandKind
	of     AttributeType
	field  requestField
	column int
	// text and order are those of a value; bad says that a rule has none, where
	// it is never asked for one.
	text  string
	order float64
	bad   bool
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
	tokens []token
	next   int
}

// parseMatcher is the matcher of a schema as an expr. The error says why it is
// none, even with parts that an index cannot follow.
func parseMatcher(s *schema) (*expr, error) {
	p := &exprParser{schema: s, tokens: s.matcherTokens}
	x, err := p.or()
	if err == nil && p.next < len(p.tokens) {
		err = p.unexpected()
	}
	return x, err
}

func (p *exprParser) unexpected() error {
	return fmt.Errorf("%q at offset %d", p.tokens[p.next].text, p.tokens[p.next].from)
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

// comparison is a truth value, or what an index does not understand up to the
// next "&&", "||" or the end of a parenthesis.
func (p *exprParser) comparison() (*expr, error) {
	start := p.next
	x, why := p.truth()
	if why == nil && !p.atEnd() {
		why = p.unexpected()
	}
	if why == nil {
		return x, nil
	}
	x = &expr{kind: exprOther, why: why}
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
		x.touched = addColumn(x.touched, p.schema.column(p.tokens[p.next].text))
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
func (p *exprParser) truth() (*expr, error) {
	switch {
	case p.take("!"):
		x, err := p.truth()
		if err == nil && (x.kind == exprEqual || x.kind == exprOrder) {
			err = fmt.Errorf(`"!" before a comparison without parentheses`)
		}
		return &expr{kind: exprNot, parts: []*expr{x}}, err
	case p.take("("):
		x, err := p.or()
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis that is not closed")
		}
		if err == nil && (x.kind == exprEqual || x.kind == exprOrder) {
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
	operator := ""
	if !p.atEnd() {
		operator = p.tokens[p.next].text
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
func (p *exprParser) list(left operand) (*expr, error) {
	x := &expr{kind: exprOr, whole: true}
	if !p.take("(") {
		return nil, fmt.Errorf("a list without parentheses")
	}
	for !p.take(")") {
		if len(x.parts) > 0 && !p.take(",") {
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
		x.parts = append(x.parts, item)
	}
	return x, nil
}

// comparing is two values compared.
func comparing(operator string, left, right operand) (*expr, error) {
	equal := &expr{kind: exprEqual, operands: []operand{left, right}}
	switch {
	case left.of != right.of:
		return nil, fmt.Errorf("a comparison of %s with %s", left.of, right.of)
	case operator == "==":
		return equal, nil
	case operator == "!=":
		return &expr{kind: exprNot, parts: []*expr{equal}}, nil
	case !left.of.ordered():
		return nil, fmt.Errorf("a comparison of texts by %s", operator)
	}
	return &expr{kind: exprOrder, function: operator, operands: []operand{left, right}}, nil
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
	if width := p.schema.roles[x.function]; width != 0 {
		if len(x.operands) != width {
			return fmt.Errorf("%s with %d arguments", x.function, len(x.operands))
		}
		return nil
	}
	// ipMatch fails for what is no address, which a text may be.
	address := x.function == "ipMatch" && len(x.operands) > 0 && x.operands[0].of == IPAddress
	if !address && !slices.Contains(indexedFunctions, x.function) {
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
	minus := p.take("-")
	if p.next >= len(p.tokens) {
		return operand{}, fmt.Errorf("the end where a value was due")
	}
	t, of := p.tokens[p.next], p.schema.tokenTypes[p.next]
	p.next++
	switch {
	case t.kind == tokenString && !minus:
		v, _ := of.read(t.text)
		return operand{of: of, text: v.text, order: v.order}, nil
	case t.kind == tokenName && isDigits(t.text[:1]):
		if minus {
			t.text = "-" + t.text
		}
		if v, ok := readNumber(t.text); ok {
			return operand{of: Number, text: v.text, order: v.order}, nil
		}
	case t.kind == tokenName && !minus:
		if column := p.schema.column(t.text); column >= 0 {
			return operand{kind: operandPolicy, of: of, column: column}, nil
		}
		if field, ok := p.schema.requestField(t.text); ok {
			return operand{kind: operandRequest, of: of, field: field}, nil
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
	if x.kind != kind && (len(x.parts) != 1 || x.kind == exprNot) {
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
	columns := slices.Clone(x.touched)
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

// foreign says what an index does not understand of x, or nil.
func (x *expr) foreign() error {
	if x.kind == exprOther {
		return x.why
	}
	for _, part := range x.parts {
		if why := part.foreign(); why != nil {
			return why
		}
	}
	return nil
}
