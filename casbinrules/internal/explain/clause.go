package explain

import (
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// clauseNotes say which clauses of the matcher made r count though it may be
// meant for somebody else.
func (x *Explainer) clauseNotes(r *policy.Rule) []string {
	p, err := NewProbe(x.Snapshot)
	if err != nil {
		return nil
	}
	s := x.Snapshot.Schema
	text := s.Rewritten()
	tokens, err := model.Lex(text)
	if err != nil {
		return nil
	}
	var notes []string
	functions := x.Snapshot.Functions()
	clauses, written := s.FreeClauses(text, tokens), s.FreeClauses(s.Matcher, s.MatcherTokens)
	if len(clauses) != len(written) {
		return nil // what stands in place of a value looked like another clause
	}
	for i, c := range clauses {
		expr, err := govaluate.NewEvaluableExpressionWithFunctions(c.Text, functions)
		if err != nil {
			continue
		}
		if holds, err := holdsFor(expr, p.parameters(&x.Request, r)); err != nil || !holds {
			continue
		}
		notes = append(notes, model.Visible(model.Spelt(written[i].Text)+" is true, so that "+c.Effect()))
	}
	return notes
}
