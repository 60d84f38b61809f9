package casbinrules

import (
	"fmt"

	"github.com/casbin/casbin/v2/constant"
)

// checkFreeClauses looks for clauses that make lines count whoever they are
// for, such as r.sub == "root", in a policy that denies: the denies count, too.
func (l *linter) checkFreeClauses() {
	s := l.schema
	if s.eft < 0 || s.effect == constant.AllowOverrideEffect || s.file.has(codeModelEffect) {
		return // No deny binds anybody, or nobody knows whom.
	}
	clauses := s.freeClauses(s.matcher, s.matcherTokens)
	if len(clauses) == 0 {
		return
	}
	var deny *rule
	for r := range l.policyRules() {
		if s.effectOf(r) == "deny" {
			deny = r
			break
		}
	}
	if deny == nil {
		return
	}
	at := s.file.at["m"]
	for _, c := range clauses {
		text := spelt(c.text)
		l.found = append(l.found, Finding{
			File: s.file.name, Line: at.line, Column: at.column, Severity: l.config.severity(codeFreeClause), Code: codeFreeClause,
			Message: l.clauseEffect(c, deny),
			Hint:    fmt.Sprintf(`write (%s) && p.eft == "allow" if denies are not to count there`, text),
		})
	}
}

// clauseEffect says what a clause does to requests that fulfil it.
func (l *linter) clauseEffect(c freeClause, deny *rule) string {
	every := "where " + spelt(c.text) + " is true, " + c.effect() + ", so that "
	if !c.whole {
		return every + "denies for others, such as " + deny.place() + ", refuse there, too"
	}
	switch l.schema.effect {
	case constant.PriorityEffect:
		sorted := l.decisionOrder(policyLines(l.rules))
		if len(sorted) == 0 {
			return every + "whichever comes first decides everything"
		}
		if first := sorted[0]; l.schema.effectOf(first) == "allow" {
			return every + first.place() + ", the first one, allows everything, and no deny refuses anything"
		}
		return every + sorted[0].place() + ", the first one, refuses everything"
	case constant.SubjectPriorityEffect:
		return every + "the one that Casbin sorts first decides everything"
	}
	return every + "one deny, such as " + deny.place() + ", refuses everything"
}
