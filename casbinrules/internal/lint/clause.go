package lint

import (
	"fmt"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkFreeClauses finds clauses that make lines apply whoever they are for, such
// as r.sub == "root", in a policy with denies, which then apply, too.
func (l *Linter) checkFreeClauses() {
	s := l.Schema
	if s.Eft < 0 || s.Effect == model.AllowOverrideEffect || s.File.Has(model.CodeModelEffect) {
		return // No deny applies to anybody, or it is unknown to whom.
	}
	clauses := s.FreeClauses()
	if len(clauses) == 0 {
		return
	}
	var deny policy.Rule
	for r := range l.policyRules() {
		if policy.EffectOf(s, r) == "deny" {
			deny = r
			break
		}
	}
	if deny.IsZero() {
		return
	}
	for _, c := range clauses {
		l.reportMatcher(model.CodeFreeClause, fmt.Sprintf(`write (%s) && p.eft == "allow" if denies should not apply there`, s.Source(c.Node)),
			l.clauseEffect(c, deny))
	}
}

// checkOpenClauses finds clauses that make a line apply to everybody, such as the
// last one of g(r.sub, p.sub) && r.act == p.act || p.act == "*".
func (l *Linter) checkOpenClauses() {
	for _, n := range l.Schema.OpenClauses() {
		message := "a line for which %s is true counts whoever asks, and for whatever object"
		if len(l.Schema.ColumnsIn(n)) == 0 {
			message = "a request for which %s is true matches every line, whatever else the matcher compares"
		}
		l.reportMatcher(model.CodeOpenClause, "&& binds more strongly than ||: put this and what it is the alternative of into parentheses",
			fmt.Sprintf(message, l.Schema.Source(n)))
	}
}

// reportMatcher reports a finding about the matcher.
func (l *Linter) reportMatcher(code, hint, message string) {
	l.reportModel("m", l.settings.Severity(code), code, hint, message)
}

// reportModel reports a finding about a definition of the model.
func (l *Linter) reportModel(key string, severity model.Severity, code, hint, message string) {
	l.reportAt(l.Schema.File.Name, l.Schema.File.At[key], severity, code, hint, message)
}

// reportPolicy reports a finding about the policy as a whole.
func (l *Linter) reportPolicy(code, hint, message string) {
	l.reportAt(l.Files[0], model.Position{Line: 1, Column: 1}, l.settings.Severity(code), code, hint, message)
}

// checkMarks finds subjects of lines, such as "owner", that have a special meaning to the
// matcher but may also be somebody's name.
func (l *Linter) checkMarks() {
	s := l.Schema
	for _, m := range s.Marks() {
		by, name := s.Source(m.By), "the ID"
		if s.Roles[m.By.Text] != 0 {
			name = "the ID or the role"
		}
		l.reportMatcher(model.CodeTwoMeanings, fmt.Sprintf("write p.%s != %q && %s", s.Columns[m.Column], m.Text, by),
			fmt.Sprintf("lines for %q count where %s is true, and by %s for whoever has %s %q, where it is not", m.Text, s.Source(m.Requires), by, name, m.Text))
	}
}

// clauseEffect describes what a clause does to requests for which it is true.
func (l *Linter) clauseEffect(c model.FreeClause, deny policy.Rule) string {
	every := "where " + l.Schema.Source(c.Node) + " is true, " + c.Effect() + ", so "
	if !c.Whole {
		return every + "denies for others, such as " + deny.Place() + ", refuse there, too"
	}
	switch l.Schema.Effect {
	case model.PriorityEffect:
		sorted := policy.InOrder(l.Schema, policy.PolicyLines(l.Rules, l.settings.Pace))
		if sorted.Len() == 0 {
			return every + "whichever comes first decides everything"
		}
		first := sorted.At(0)
		if policy.EffectOf(l.Schema, first) == "allow" {
			return every + first.Place() + ", the first one, allows everything, and no deny refuses anything"
		}
		return every + first.Place() + ", the first one, refuses everything"
	case model.SubjectPriorityEffect:
		return every + "the one that Casbin sorts first decides everything"
	}
	return every + "one deny, such as " + deny.Place() + ", refuses everything"
}
