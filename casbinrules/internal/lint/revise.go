package lint

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Kept is what a linter keeps for a later revision: its findings about rules in
// relation to others of their subjects, about single lines and about names, without
// notes unless the policy is edited.
type Kept struct {
	found []model.Finding
	named map[string]bool
	lines *Lines
	names *names
}

// Keep returns what l keeps once it has found everything.
func (l *Linter) Keep() *Kept {
	if l.settings.Edited {
		return &Kept{l.found, l.named, l.lines, l.names}
	}
	l.lines.found = model.Warnings(l.lines.found)
	return &Kept{model.Warnings(l.found), l.named, l.lines, l.names}
}

// Before is the policy before a revision.
type Before struct {
	*Kept
	Rules  policy.Rules
	Graphs map[string]*policy.Graph
}

// StartRevised is Start for a revision of a policy, and also finds the kept notes.
// Findings about rules in relation to others depend on the rules of their subject
// and its roles, so those about other subjects are not determined again.
func StartRevised(p Policy, c *model.Settings, before Before, v *policy.Revision) *Linter {
	l := newLinter(p, c)
	if before.named != nil {
		l.named = v.Named(p.Schema, before.named, before.Rules)
	} else {
		l.named = policy.NamedMethods(p.Schema, p.Rules)
	}
	l.before, l.revision = &before, v
	if l.limit(before, v) {
		l.found = l.takeOver(before, v)
	}
	l.startShadows()
	return l
}

// looksAt reports whether r is compared with other rules.
func (l *Linter) looksAt(r policy.Rule) bool {
	return l.only == nil || l.only[r.Number(l.shape.subject)]
}

// limit keeps the rules of subjects for which a revision may change findings, and
// of their roles. It returns false if these cannot be determined, or are many.
func (l *Linter) limit(before Before, v *policy.Revision) bool {
	if l.shape.subject < 0 || !slices.Contains(l.shape.same, l.shape.subject) || !l.sameMethods(before.named) {
		return false
	}
	lines := v.Lines
	if lines.Len() == 0 {
		return false
	}
	changed := l.changedSubjects(before, v)
	only := slices.Clone(changed)
	for _, f := range before.found {
		// The finding names another line, whose number may have changed.
		if f.Code == model.CodeShadowed || f.Code == model.CodeContradiction {
			only[before.Rules.At(before.place(f, l.Files)).Number(l.shape.subject)] = true
		}
	}
	g, old := v.Graphs["g"], before.Graphs["g"]
	if g != nil && g.Tenants {
		g = nil // its links are not followed
	}
	needed := make([]bool, len(changed))
	if g != nil {
		g.MarkDependents(old, changed, only, l.settings.Pace)
	}
	if role := l.numberOfDefault(); role != 0 {
		if only[role] {
			return false // its lines are those of all subjects
		}
		needed[role] = true
		if g != nil {
			g.Of(policy.Pair{Name: role}).Mark(needed)
		}
	}
	marked := make([]bool, len(changed))
	for _, r := range lines.All() {
		l.settings.Pace.Step()
		subject := r.Number(l.shape.subject)
		if !only[subject] || marked[subject] {
			continue
		}
		marked[subject], needed[subject] = true, true
		if g != nil {
			g.Of(policy.Pair{Name: subject}).Mark(needed)
		}
	}
	var rules policy.Rules
	for _, r := range lines.All() {
		l.settings.Pace.Step()
		if needed[r.Number(l.shape.subject)] {
			rules.Add(r)
		}
	}
	if rules.Len() > lines.Len()/2 {
		return false
	}
	l.all, l.Rules, l.only = l.Rules, rules, only
	return true
}

// sameMethods reports whether findings about partners remain the same with the
// methods that rules name now.
func (l *Linter) sameMethods(named map[string]bool) bool {
	return !slices.ContainsFunc(partners, func(p partner) bool { return l.named[p.partner] != named[p.partner] })
}

// changedSubjects returns the subjects of the rules that were added or removed, by
// number.
func (l *Linter) changedSubjects(before Before, v *policy.Revision) []bool {
	changed := make([]bool, v.Texts.Numbers())
	for r := range l.policyRulesOf(v.Changed(before.Rules)) {
		changed[r.Number(l.shape.subject)] = true
	}
	return changed
}

// place returns the place, among the rules before, of the rule that a finding is about.
func (b *Before) place(f model.Finding, files []string) int {
	return b.Rules.Search(slices.Index(files, f.File), f.Line)
}

// takeOver returns the previous findings about rules that are not checked again.
func (l *Linter) takeOver(before Before, v *policy.Revision) []model.Finding {
	found := make([]model.Finding, 0, len(before.found)+8)
	for _, f := range before.found {
		l.settings.Pace.Step()
		place := before.place(f, l.Files)
		if l.looksAt(before.Rules.At(place)) {
			continue
		}
		f.Line = int(v.Rules.At(v.Replaced.Current(place)).Line)
		found = append(found, f)
	}
	return found
}
