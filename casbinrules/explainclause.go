package casbinrules

import (
	"strings"

	"github.com/casbin/govaluate"
)

// clauseNotes say which clauses of the matcher made r count though it may be
// meant for somebody else.
func (x *explainer) clauseNotes(r *rule) []string {
	p, err := newProbe(x.snapshot)
	if err != nil {
		return nil
	}
	text := x.snapshot.schema.matcher
	if x.snapshot.graphs["g"] != nil {
		text = x.snapshot.schema.linkedMatcher()
	}
	tokens, err := lex(text)
	if err != nil {
		return nil
	}
	var notes []string
	functions := x.snapshot.functions()
	for _, c := range x.snapshot.schema.freeClauses(text, tokens) {
		expr, err := govaluate.NewEvaluableExpressionWithFunctions(c.text, functions)
		if err != nil {
			continue
		}
		if holds, err := holdsFor(expr, p.parameters(&x.question, r)); err != nil || !holds {
			continue
		}
		clause := spelt(strings.ReplaceAll(c.text, linksField+", ", ""))
		notes = append(notes, visible(clause+" is true, so that "+c.effect()))
	}
	return notes
}
