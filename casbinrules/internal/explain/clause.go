package explain

import (
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// clauseNotes returns notes about the clauses of the matcher that made r apply,
// although it may be meant for somebody else.
func (x *Explainer) clauseNotes(r policy.Rule) []string {
	p, err := NewProbe(x.Snapshot)
	if err != nil {
		return nil
	}
	s := x.Snapshot.Schema
	functions := x.Snapshot.Functions()
	var notes []string
	for _, c := range s.FreeClauses() {
		expr, err := govaluate.NewEvaluableExpressionWithFunctions(s.Rewritten(c.Node), functions)
		if err != nil {
			continue
		}
		if holds, err := holdsFor(expr, p.parameters(&x.Request, r)); err != nil || !holds {
			continue
		}
		notes = append(notes, model.Visible(s.Source(c.Node)+" is true, so "+c.Effect()))
	}
	return notes
}
