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

// probe evaluates a matcher with Casbin's own functions for one rule at a time: as
// a whole, and condition by condition if all its alternatives share one.
type probe struct {
	schema *model.Schema
	whole  *govaluate.EvaluableExpression
	// Terms are the conditions; nil if there is only one.
	Terms []term
}

// term is a condition without which a line does not count.
type term struct {
	text string
	expr *govaluate.EvaluableExpression
	// about is the compared request field, column the policy field that it is
	// compared with; -1 if there is none or more than one.
	about, column int
}

var errNotConjunction = errors.New("the alternatives of the matcher share no condition")

// NewProbe returns a probe for the matcher of a policy.
func NewProbe(s *engine.Snapshot) (*probe, error) {
	if s.Schema.Tree == nil {
		return nil, errors.New("the matcher cannot be evaluated by itself")
	}
	text := s.Schema.Rewritten(s.Schema.Tree)
	functions := s.Functions()
	p := &probe{schema: s.Schema}
	var err error
	if p.whole, err = govaluate.NewEvaluableExpressionWithFunctions(text, functions); err != nil {
		return nil, fmt.Errorf("the matcher cannot be evaluated by itself: %s", model.FirstLine(err))
	}
	all, either := s.Schema.LineConditions()
	if len(all) == 0 || len(all) == 1 && either == nil {
		return p, nil
	}
	for _, n := range all {
		if err = p.addTerm(s.Schema.Source(n), s.Schema.Rewritten(n), functions, n); err != nil {
			return nil, err
		}
	}
	if either != nil {
		if err = p.addTerm(joined(either, s.Schema.Source), joined(either, s.Schema.Rewritten), functions, slices.Concat(either...)...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// addTerm adds a condition, made of parts of the matcher.
func (p *probe) addTerm(text, rewritten string, functions map[string]govaluate.ExpressionFunction, parts ...*model.Node) (err error) {
	t := term{text: text}
	if t.expr, err = govaluate.NewEvaluableExpressionWithFunctions(rewritten, functions); err != nil {
		return fmt.Errorf("a condition of the matcher cannot be evaluated by itself: %s", model.FirstLine(err))
	}
	t.about, t.column = subjectOf(p.schema, parts)
	p.Terms = append(p.Terms, t)
	return nil
}

// joined returns alternatives as a text, each of conditions that are all true.
func joined(either [][]*model.Node, form func(*model.Node) string) string {
	var sides []string
	for _, parts := range either {
		var side []string
		for _, n := range parts {
			text := form(n)
			if n.Kind == model.NodeOr || n.Kind == model.NodeChoice {
				text = "(" + text + ")"
			}
			side = append(side, text)
		}
		sides = append(sides, strings.Join(side, " && "))
	}
	return strings.Join(sides, " || ")
}

// subjectOf returns the request field that the parts of a condition are about, the tenant only if
// there is no other, and the policy field that it is compared with.
func subjectOf(s *model.Schema, parts []*model.Node) (about, column int) {
	about, column = -1, -1
	names := map[string]bool{}
	for _, part := range parts {
		for n := range part.All() {
			names[n.Name()] = true
			if column < 0 {
				column = s.Column(n.Name())
			}
		}
	}
	for i, name := range s.Names("r") {
		if i >= len(s.Request) || !names["r_"+name] {
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
	return about, column
}

// parameters returns the values of the matcher's names.
func (p *probe) parameters(q *engine.Request, r policy.Rule) govaluate.MapParameters {
	params := govaluate.MapParameters{model.LinksField: q.Links()}
	values := q.Values(p.schema)
	for i, name := range p.schema.Names("r") {
		if i < len(values) {
			params["r_"+name] = values[i]
		}
	}
	for i, name := range p.schema.Columns {
		if i < len(r.Numbers())-1 {
			params["p_"+name] = r.Field(i)
		}
	}
	return params
}

// Matches reports whether the matcher is true for the rule.
func (p *probe) Matches(q *engine.Request, r policy.Rule) (bool, error) {
	return holdsFor(p.whole, p.parameters(q, r))
}

// Failing returns the conditions that are false for the rule, at most two.
func (p *probe) Failing(q *engine.Request, r policy.Rule) ([]*term, error) {
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
