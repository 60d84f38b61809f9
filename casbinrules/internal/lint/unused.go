package lint

import (
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkUnusedRoles finds role definitions that no decision uses. It is only a note
// as long as there are no lines of the kind.
func (l *Linter) checkUnusedRoles() {
	lines := map[string]int{}
	for kind := range l.Schema.Roles {
		if !l.Schema.UsesLinks(kind) || l.backwards(kind) != "" {
			lines[kind] = 0
		}
	}
	if len(lines) == 0 {
		return
	}
	for _, r := range l.Rules.All() {
		if n, unused := lines[r.Kind()]; unused {
			lines[r.Kind()] = n + 1
		}
	}
	for kind, n := range lines {
		l.tellUnusedRoles(kind, n)
	}
}

func (l *Linter) tellUnusedRoles(kind string, lines int) {
	severity := l.settings.Severity(model.CodeUnusedRoles)
	verb := "have"
	which := fmt.Sprintf("the %d %s lines", lines, kind)
	switch lines {
	case 0:
		severity = model.SeverityNote
		which = kind + " lines"
	case 1:
		which, verb = "the "+kind+" line", "has"
	}
	hint := "call " + kind + " in the matcher, or remove the definition and its lines"
	if kind == "g" {
		hint = "call g(r.sub, p.sub) in the matcher, or remove the definition and its lines, unless only rules in the program ask for roles"
		if !l.settings.NoTokenRoles {
			which, verb = which+" and the roles of credentials", "have"
		}
	}
	message := "the matcher never calls " + kind + ", so " + which + " " + verb + " no effect"
	if call := l.backwards(kind); call != "" {
		message, hint = "the matcher calls "+call+", which gives nobody the permissions of their roles", "write the subject of the request first, as in g(r.sub, p.sub)"
	}
	l.reportModel(kind, severity, model.CodeUnusedRoles, hint, message)
}

// backwards returns a call of role links in which the subject of the request is in
// the place of the role, if there is no other call of the kind; otherwise "".
func (l *Linter) backwards(kind string) string {
	call := ""
	if l.Schema.RolePatterns(kind) != "" {
		return "" // there is a separate finding for that
	}
	for _, c := range l.Schema.RoleCalls() {
		if c.Text == kind {
			if c.Field != "r_sub" || !c.Reversed {
				return ""
			}
			call = l.Schema.Source(c.Node)
		}
	}
	return call
}

// checkUnusedColumns finds fields of p lines that no decision uses. It is only a
// note, since a column may be for remarks, unless the name or the content of the
// column shows what it is taken for.
func (l *Linter) checkUnusedColumns() {
	s := l.Schema
	if s.Tree == nil {
		return
	}
	ordered := s.Effect == model.PriorityEffect || s.Effect == model.SubjectPriorityEffect // by priority, too
	used := append(s.ColumnsIn(s.Tree), s.Eft)
	if ordered {
		used = append(used, s.Priority)
	}
	for column, name := range s.Columns {
		if slices.Contains(used, column) {
			continue
		}
		severity, hint := model.SeverityNote, "remove it, if it is no column of remarks"
		switch {
		case slices.Contains(s.Names("r"), name):
			severity, hint = l.settings.Severity(model.CodeUnusedColumn), fmt.Sprintf("compare it in the matcher, as in r.%[1]s == p.%[1]s, or remove it", name)
		case s.Eft < 0 && l.holdsOnly(column, policy.IsEffect):
			severity, hint = l.settings.Severity(model.CodeUnusedColumn), "call it eft: Casbin looks for allow and deny in no other field"
		case s.Effect == model.PriorityEffect && s.Priority < 0 && l.holdsOnly(column, policy.IsInteger):
			severity, hint = l.settings.Severity(model.CodeUnusedColumn), "call it priority: Casbin sorts lines by no other field"
		case column == s.Priority && s.Eft >= 0 && l.holdsOnly(column, policy.IsInteger):
			severity, hint = l.settings.Severity(model.CodeUnusedColumn), "write e = priority(p.eft) || deny if the first line is to decide, or remove it"
		}
		l.reportModel("p", severity, model.CodeUnusedColumn, hint, "no decision uses p."+name+", so lines count whatever they contain there")
	}
}

// holdsOnly reports whether there are lines, and each has a value of a kind in a column.
func (l *Linter) holdsOnly(column int, kind func(string) bool) bool {
	some := false
	for r := range l.policyRules() {
		if !kind(policy.ValueAt(r, column)) {
			return false
		}
		some = true
	}
	return some
}
