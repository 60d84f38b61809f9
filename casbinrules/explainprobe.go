package casbinrules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/govaluate"
)

// probe evaluates a matcher with Casbin's own functions for one rule at a
// time: as a whole, and condition by condition where it is a conjunction.
type probe struct {
	schema *schema
	whole  *govaluate.EvaluableExpression
	// terms are the conditions, nil when the matcher is no conjunction.
	terms []term
}

// term is one condition of a conjunction.
type term struct {
	text string
	expr *govaluate.EvaluableExpression
	// about is the request field compared, column the policy field it is
	// compared with; each is -1 where there is none or more than one.
	about, column int
}

var errNotConjunction = errors.New("the matcher is not a plain list of conditions joined by &&")

func newProbe(s *snapshot) (*probe, error) {
	text := s.schema.rewritten()
	functions := s.functions()
	p := &probe{schema: s.schema}
	var err error
	if p.whole, err = govaluate.NewEvaluableExpressionWithFunctions(text, functions); err != nil {
		return nil, fmt.Errorf("the matcher cannot be evaluated by itself: %s", firstLine(err))
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	written := conjunction(s.schema.matcher, s.schema.matcherTokens)
	for i, part := range conjunction(text, tokens) {
		t := term{text: written[i]}
		if t.expr, err = govaluate.NewEvaluableExpressionWithFunctions(part, functions); err != nil {
			return nil, fmt.Errorf("a condition of the matcher cannot be evaluated by itself: %s", firstLine(err))
		}
		t.about, t.column = s.schema.subjectOf(t.text)
		p.terms = append(p.terms, t)
	}
	return p, nil
}

// functions are the functions a matcher may call.
func (s *snapshot) functions() map[string]govaluate.ExpressionFunction {
	functions := s.schema.file.config.matcherFunctions()
	maps.Copy(functions, rewrittenFunctions())
	for key, g := range s.graphs {
		functions[key] = linksFunction(g)
	}
	return functions
}

// conjunction splits an expression at the && outside parentheses; it is nil
// when there is none, or something that binds less.
func conjunction(text string, tokens []token) []string {
	var parts []string
	depth, start := 0, 0
	for _, t := range tokens {
		if t.kind != tokenOther {
			continue
		}
		switch t.text {
		case "(":
			depth++
		case ")":
			depth--
		case "||", "?", ":", "??":
			if depth == 0 {
				return nil
			}
		case "&&":
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(text[start:t.from]))
				start = t.from + len(t.text)
			}
		}
	}
	if parts == nil {
		return nil
	}
	return append(parts, strings.TrimSpace(text[start:]))
}

// subjectOf finds out which request field a condition is about, the tenant
// only if there is no other, and which policy field it is compared with.
func (s *schema) subjectOf(condition string) (about, column int) {
	about, column = -1, -1
	tokens, err := lex(condition)
	if err != nil {
		return about, column
	}
	for i, name := range s.names("r") {
		if i >= len(s.request) || !names(tokens, "r_"+name) {
			continue
		}
		field := int(s.request[i])
		switch {
		case about < 0 || about == int(fieldTenant):
			about = field
		case field != int(fieldTenant) && field != about:
			return -1, -1
		}
	}
	if i := slices.IndexFunc(tokens, func(t token) bool { return s.column(t.text) >= 0 }); i >= 0 {
		column = s.column(tokens[i].text)
	}
	return about, column
}

func names(tokens []token, name string) bool {
	return slices.ContainsFunc(tokens, func(t token) bool { return t.kind == tokenName && t.text == name })
}

// parameters are what the matcher's names stand for.
func (p *probe) parameters(q *question, r *rule) govaluate.MapParameters {
	params := govaluate.MapParameters{linksField: q.links()}
	values := q.values(p.schema)
	for i, name := range p.schema.names("r") {
		if i < len(values) {
			params["r_"+name] = values[i]
		}
	}
	for i, name := range p.schema.columns {
		if i < r.width() {
			params["p_"+name] = r.field(i)
		}
	}
	return params
}

// matches reports whether the matcher is true for the rule.
func (p *probe) matches(q *question, r *rule) (bool, error) {
	return holdsFor(p.whole, p.parameters(q, r))
}

// failing are the conditions that are false for the rule, at most two.
func (p *probe) failing(q *question, r *rule) ([]*term, error) {
	params := p.parameters(q, r)
	var failed []*term
	for i := range p.terms {
		ok, err := holdsFor(p.terms[i].expr, params)
		if err != nil {
			return nil, err
		}
		if !ok {
			if failed = append(failed, &p.terms[i]); len(failed) == 2 {
				break
			}
		}
	}
	return failed, nil
}

// holdsFor evaluates as Casbin does: a number is true unless it is zero.
func holdsFor(expr *govaluate.EvaluableExpression, params govaluate.MapParameters) (ok bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	result, err := expr.Eval(params)
	if err != nil {
		return false, err
	}
	switch v := result.(type) {
	case bool:
		return v, nil
	case float64:
		return v != 0, nil
	default:
		return false, fmt.Errorf("the matcher gives %T, not true or false", v)
	}
}
