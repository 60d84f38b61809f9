package lint

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkFreeClauses looks for clauses that make lines count whoever they are
// for, such as r.sub == "root", in a policy that denies: the denies count, too.
func (l *Linter) checkFreeClauses() {
	s := l.Schema
	if s.Eft < 0 || s.Effect == model.AllowOverrideEffect || s.File.Has(model.CodeModelEffect) {
		return // No deny binds anybody, or nobody knows whom.
	}
	clauses := s.FreeClauses()
	if len(clauses) == 0 {
		return
	}
	var deny *policy.Rule
	for r := range l.policyRules() {
		if policy.EffectOf(s, r) == "deny" {
			deny = r
			break
		}
	}
	if deny == nil {
		return
	}
	at := s.File.At["m"]
	for _, c := range clauses {
		text := s.Source(c.Node)
		l.found = append(l.found, model.Finding{
			File: s.File.Name, Line: at.Line, Column: at.Column, Severity: l.settings.Severity(model.CodeFreeClause), Code: model.CodeFreeClause,
			Message: l.clauseEffect(c, deny),
			Hint:    fmt.Sprintf(`write (%s) && p.eft == "allow" if denies are not to count there`, text),
		})
	}
}

// clauseEffect says what a clause does to requests that fulfil it.
func (l *Linter) clauseEffect(c model.FreeClause, deny *policy.Rule) string {
	every := "where " + l.Schema.Source(c.Node) + " is true, " + c.Effect() + ", so that "
	if !c.Whole {
		return every + "denies for others, such as " + deny.Place() + ", refuse there, too"
	}
	switch l.Schema.Effect {
	case model.PriorityEffect:
		sorted := l.decisionOrder(policy.PolicyLines(l.Rules))
		if len(sorted) == 0 {
			return every + "whichever comes first decides everything"
		}
		if first := sorted[0]; policy.EffectOf(l.Schema, first) == "allow" {
			return every + first.Place() + ", the first one, allows everything, and no deny refuses anything"
		}
		return every + sorted[0].Place() + ", the first one, refuses everything"
	case model.SubjectPriorityEffect:
		return every + "the one that Casbin sorts first decides everything"
	}
	return every + "one deny, such as " + deny.Place() + ", refuses everything"
}
