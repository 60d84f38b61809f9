package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// probe evaluates a matcher with Casbin's own functions for one rule at a
// time: as a whole, and condition by condition where it is a conjunction.
type probe struct {
	schema *model.Schema
	whole  *govaluate.EvaluableExpression
	// Terms are the conditions, nil when the matcher is no conjunction.
	Terms []term
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

func NewProbe(s *engine.Snapshot) (*probe, error) {
	text := s.Schema.Rewritten()
	functions := s.Functions()
	p := &probe{schema: s.Schema}
	var err error
	if p.whole, err = govaluate.NewEvaluableExpressionWithFunctions(text, functions); err != nil {
		return nil, fmt.Errorf("the matcher cannot be evaluated by itself: %s", model.FirstLine(err))
	}
	tokens, err := model.Lex(text)
	if err != nil {
		return nil, err
	}
	written := Conjunction(s.Schema.Matcher, s.Schema.MatcherTokens)
	for i, part := range Conjunction(text, tokens) {
		t := term{text: written[i]}
		if t.expr, err = govaluate.NewEvaluableExpressionWithFunctions(part, functions); err != nil {
			return nil, fmt.Errorf("a condition of the matcher cannot be evaluated by itself: %s", model.FirstLine(err))
		}
		t.about, t.column = subjectOf(s.Schema, t.text)
		p.Terms = append(p.Terms, t)
	}
	return p, nil
}

// Conjunction splits an expression at the && outside parentheses; it is nil
// when there is none, or something that binds less.
func Conjunction(text string, tokens []model.Token) []string {
	var parts []string
	depth, start := 0, 0
	for _, t := range tokens {
		if t.Kind != model.TokenOther {
			continue
		}
		switch t.Text {
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
				parts = append(parts, strings.TrimSpace(text[start:t.From]))
				start = t.From + len(t.Text)
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
func subjectOf(s *model.Schema, condition string) (about, column int) {
	about, column = -1, -1
	tokens, err := model.Lex(condition)
	if err != nil {
		return about, column
	}
	for i, name := range s.Names("r") {
		if i >= len(s.Request) || !names(tokens, "r_"+name) {
			continue
		}
		field := int(s.Request[i])
		switch {
		case about < 0 || about == int(model.FieldTenant):
			about = field
		case field != int(model.FieldTenant) && field != about:
			return -1, -1
		}
	}
	if i := slices.IndexFunc(tokens, func(t model.Token) bool { return s.Column(t.Text) >= 0 }); i >= 0 {
		column = s.Column(tokens[i].Text)
	}
	return about, column
}

func names(tokens []model.Token, name string) bool {
	return slices.ContainsFunc(tokens, func(t model.Token) bool { return t.Kind == model.TokenName && t.Text == name })
}

// parameters are what the matcher's names stand for.
func (p *probe) parameters(q *engine.Request, r *policy.Rule) govaluate.MapParameters {
	params := govaluate.MapParameters{model.LinksField: q.Links()}
	values := q.Values(p.schema)
	for i, name := range p.schema.Names("r") {
		if i < len(values) {
			params["r_"+name] = values[i]
		}
	}
	for i, name := range p.schema.Columns {
		if i < r.Width() {
			params["p_"+name] = r.Field(i)
		}
	}
	return params
}

// Matches reports whether the matcher is true for the rule.
func (p *probe) Matches(q *engine.Request, r *policy.Rule) (bool, error) {
	return holdsFor(p.whole, p.parameters(q, r))
}

// Failing are the conditions that are false for the rule, at most two.
func (p *probe) Failing(q *engine.Request, r *policy.Rule) ([]*term, error) {
	params := p.parameters(q, r)
	var failed []*term
	for i := range p.Terms {
		ok, err := holdsFor(p.Terms[i].expr, params)
		if err != nil {
			return nil, err
		}
		if !ok {
			if failed = append(failed, &p.Terms[i]); len(failed) == 2 {
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
