package casbinrules

import (
	"github.com/casbin/govaluate"
)

// clauseNotes say which clauses of the matcher made r count though it may be
// meant for somebody else.
func (x *explainer) clauseNotes(r *rule) []string {
	p, err := newProbe(x.snapshot)
	if err != nil {
		return nil
	}
	s := x.snapshot.schema
	text := s.rewritten()
	tokens, err := lex(text)
	if err != nil {
		return nil
	}
	var notes []string
	functions := x.snapshot.functions()
	clauses, written := s.freeClauses(text, tokens), s.freeClauses(s.matcher, s.matcherTokens)
	if len(clauses) != len(written) {
		return nil // what stands in place of a value looked like another clause
	}
	for i, c := range clauses {
		expr, err := govaluate.NewEvaluableExpressionWithFunctions(c.text, functions)
		if err != nil {
			continue
		}
		if holds, err := holdsFor(expr, p.parameters(&x.question, r)); err != nil || !holds {
			continue
		}
		notes = append(notes, visible(spelt(written[i].text)+" is true, so that "+c.effect()))
	}
	return notes
}
