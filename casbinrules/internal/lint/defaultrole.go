package lint

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// defaultRole returns the default role as written in the policy, or "".
func (l *Linter) defaultRole() string {
	if l.settings.DefaultRole == "" {
		return ""
	}
	return l.settings.RolePrefix + l.settings.DefaultRole
}

// numberOfDefault returns the number of the default role, 0 if the policy does not name it.
func (l *Linter) numberOfDefault() int32 {
	role := l.defaultRole()
	if role == "" {
		return 0
	}
	return l.Texts.Known(role)
}

// checkDefaultRole checks the lines about the default role.
func (l *Linter) checkDefaultRole(n *roleNotes) {
	role, column := l.defaultRole(), l.shape.subject
	if role == "" || column < 0 || l.Schema.NamePattern("p", column) != "" {
		return
	}
	names := l.withRolesOf(l.numberOfDefault())
	denyWins := l.Schema.Effect == model.AllowAndDenyEffect || l.Schema.Effect == model.DenyOverrideEffect
	named := slices.Contains(l.Schema.MatcherRoles, role)
	for r := range l.policyRules() {
		if !names[r.Number(column)] {
			continue
		}
		named = true
		if denyWins && policy.EffectOf(l.Schema, r) == "deny" {
			l.reportColumn(r, l.Schema.Eft, model.CodeDefaultDenies, "deny it to a role that not everybody has, or leave the line out: what no line allows is refused",
				"everyone has the role %q, so the line denies it to everyone", r.Field(column))
		}
	}
	if !named {
		l.reportPolicy(model.CodeDefaultUnused, "add one, or check how the role is spelled in WithDefaultRole (--default-role)",
			"no p line is for the default role \""+role+"\", nor for any role it has")
	}
}

// withRolesOf returns a name and the roles that it has in any tenant, by number.
func (l *Linter) withRolesOf(name int32) map[int32]bool {
	names := map[int32]bool{}
	if name != 0 {
		names[name] = true
	}
	if g := l.graphs["g"]; g != nil {
		for p, c := range g.Each() {
			if p.Name != name {
				continue
			}
			for _, link := range c.Links {
				names[link.Number] = true
			}
		}
	}
	return names
}
