package lint

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// names are the findings about names. None of them is a note.
type names struct{ found []model.Finding }

// checkNames checks names, unless the findings are those before the revision.
func (l *Linter) checkNames() *names {
	before := len(l.found)
	if l.sameNames() {
		l.found = append(l.found, l.moved(l.before.names.found)...)
	} else {
		l.checkRoles()
	}
	return &names{slices.Clone(l.found[before:])}
}

// sameNames reports whether findings about names, but for their lines, are those before
// the revision. Role links must be the same, and for each p line that was added or
// removed there must be another one, before and now, with the same role and effect. No
// finding is then about the changed lines: those about p lines are about names that are
// not roles, about "anonymous" and about the default role.
func (l *Linter) sameNames() bool {
	if l.before == nil || l.before.names == nil || l.revision.Links ||
		l.shape.subject < 0 || l.defaultRole() != "" || len(l.settings.RolePatterns) > 0 {
		return false
	}
	if g := l.graphs["g"]; g != nil && g.Tenants && len(l.before.names.found) > 0 {
		return false // They may name other lines.
	}
	type use struct {
		name   int32
		effect nameUse
	}
	of := func(r policy.Rule) use { return use{r.Number(l.shape.subject), l.effectUse(r)} }
	changed, names := map[use]bool{}, make([]bool, l.Texts.Numbers())
	for r := range l.policyRulesOf(l.revision.Changed(l.before.Rules)) {
		at := of(r)
		if at.name == policy.NumberAnonymous || !l.Texts.IsRole(at.name) {
			return false
		}
		changed[at], names[at.name] = true, true
	}
	return len(changed) == 0 || l.revision.AnyKept(func(r policy.Rule) bool {
		if r.IsPolicy() && names[r.Number(l.shape.subject)] {
			delete(changed, of(r))
		}
		return len(changed) == 0
	})
}
