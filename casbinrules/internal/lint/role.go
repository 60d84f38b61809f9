package lint

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// roleNotes are what a policy says of names: who is given what.
type roleNotes struct {
	texts *policy.Texts
	// subject has the names of p lines, given those that g lines give as
	// roles and holder those they are given to; each with its first line.
	subject, given, holder firstLines
}

// firstLines are the first lines of names, by the numbers of these.
type firstLines struct {
	lines []int32 // by name, counted from 1
	names []int32 // that have one
}

func (f *firstLines) note(name int32, line int) {
	if f.lines[name] == 0 {
		f.lines[name] = int32(line) + 1
		f.names = append(f.names, name)
	}
}

// has reports whether a name has a line.
func (f *firstLines) has(name int32) bool { return f.lines[name] > 0 }

// first is the first line of a name, or nil.
func (l *Linter) first(f *firstLines, name int32) *policy.Rule {
	if !f.has(name) {
		return nil
	}
	return l.Rules[f.lines[name]-1]
}

// checkRoles looks at names: roles that nobody has or that open nothing, and
// users that are called like a role.
func (l *Linter) checkRoles() {
	if len(l.Rules) == 0 {
		return
	}
	n := &roleNotes{texts: l.Rules[0].Texts}
	for _, f := range []*firstLines{&n.subject, &n.given, &n.holder} {
		f.lines = make([]int32, n.texts.Numbers())
	}
	for i, r := range l.Rules {
		switch {
		case r.IsPolicy() && l.shape.subject >= 0:
			n.subject.note(r.Number(l.shape.subject), i)
		case r.IsLink():
			n.given.note(r.Number(1), i)
			n.holder.note(r.Number(0), i)
		}
	}
	if l.shape.subject >= 0 {
		l.checkAnonymous(n)
		l.checkAnonymousPatterns()
		l.checkSubjectStar(n)
	}
	if !l.Schema.LinksUsers() {
		return // Its names are no roles of users.
	}
	if l.shape.subject >= 0 && l.Schema.RolePatterns("g") == "" { // by which any name may be given or used
		l.checkAssigned(n)
		l.checkUsed(n)
	}
	l.checkDefaultRole(n)
	l.checkNames(n)
}

func (l *Linter) checkAnonymous(n *roleNotes) {
	if l.settings.Anonymous {
		return
	}
	const hint = "use WithAnonymous (--allow-anonymous), or remove the line"
	if r := l.first(&n.subject, policy.NumberAnonymous); r != nil {
		l.reportColumn(r, l.shape.subject, model.CodeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
	if r := l.first(&n.holder, policy.NumberAnonymous); r != nil {
		l.report(r, 1, model.CodeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
}

// checkSubjectStar looks for a star that is meant for all subjects and is not
// known to the matcher as such.
func (l *Linter) checkSubjectStar(n *roleNotes) {
	column := l.shape.subject
	pattern := l.Schema.NamePattern("p", column) != "" ||
		slices.ContainsFunc(l.Schema.Patterns, func(p model.PatternColumn) bool { return p.Column == column })
	star := n.texts.Known("*")
	if !n.subject.has(star) || pattern || slices.Contains(l.shape.starred, column) || n.given.has(star) {
		return
	}
	for r := range l.policyRules() {
		if policy.ValueAt(r, column) == "*" {
			l.reportColumn(r, column, model.CodeLiteralStar, `name a role that all have, or write p.sub == "*" into the matcher`,
				"the matcher compares subjects as they are, so that * stands only for itself")
		}
	}
}

// checkAssigned looks for roles that no g line gives. Nothing in a policy says
// that a name is a role rather than a user, so it speaks only where all other
// subjects are roles, or where roles have a prefix.
func (l *Linter) checkAssigned(n *roleNotes) {
	if len(n.given.names) == 0 {
		return
	}
	var missing []int32
	assigned := 0
	for _, number := range n.subject.names {
		switch name := n.texts.Text(number); {
		case n.given.has(number), name == l.defaultRole():
			assigned++
		case name == policy.Anonymous || name == "*" || slices.Contains(l.shape.strings, name):
		case !strings.HasPrefix(name, l.settings.RolePrefix):
		case n.holder.has(number) && l.settings.RolePrefix == "":
			return // Users have rules of their own here.
		default:
			missing = append(missing, number)
		}
	}
	if l.settings.RolePrefix == "" && len(missing) > assigned {
		return
	}
	hint := "add a g line, if it is neither a user nor a role that tokens bring"
	if l.settings.NoTokenRoles {
		hint = "add a g line, if it is no user"
	}
	for _, name := range missing {
		l.reportColumn(l.first(&n.subject, name), l.shape.subject, model.CodeNeverAssigned, hint, "no g line gives anybody the role %q", n.texts.Text(name))
	}
}

// checkUsed looks for roles that give nobody anything: no p line allows them
// something, nor any role they lead to.
func (l *Linter) checkUsed(n *roleNotes) {
	g := l.graphs["g"]
	if g == nil {
		return
	}
	used := l.usedRoles(n, g)
	told := make([]bool, n.texts.Numbers())
	for _, r := range l.Rules {
		if !r.IsLink() {
			continue
		}
		_, role := g.Pairs(r)
		if told[role.Name] || used(role) {
			continue
		}
		told[role.Name] = true
		if c := g.Of(role); c != nil {
			for _, l := range c.Links {
				told[role.Name] = told[role.Name] && !used(policy.Pair{Tenant: role.Tenant, Name: l.Number})
			}
		}
		if told[role.Name] {
			l.report(r, 2, model.CodeRoleWithoutRule, "add a p line for it, if no rule of the program asks for the role", "no p line allows the role %q anything, nor any role it has", n.texts.Text(role.Name))
		}
	}
}

// usedRoles tells the roles that p lines do something for. One that allows
// does. One that denies takes from a role that gives nothing, unless somebody
// who has the role is allowed something by another line.
func (l *Linter) usedRoles(n *roleNotes, g *policy.Graph) func(policy.Pair) bool {
	allowed, denied := make([]bool, n.texts.Numbers()), make([]bool, n.texts.Numbers())
	denies := false
	for r := range l.policyRules() {
		switch name := r.Number(l.shape.subject); policy.EffectOf(l.Schema, r) {
		case "allow":
			allowed[name] = true
		case "deny":
			denied[name], denies = true, true
		}
	}
	anybody := l.allowsAnybody(n, allowed)
	for _, name := range l.shape.strings {
		allowed[n.texts.Known(name)] = true // of nothing, when it is unknown
	}
	deprived := map[policy.Pair]bool{}
	for from, c := range g.Each() {
		if !denies {
			break
		}
		may := anybody || allowed[from.Name]
		for _, l := range c.Links {
			may = may || allowed[l.Number]
		}
		for _, l := range c.Links {
			if may && denied[l.Number] {
				deprived[policy.Pair{Tenant: from.Tenant, Name: l.Number}] = true
			}
		}
	}
	return func(role policy.Pair) bool { return allowed[role.Name] || deprived[role] }
}

// allowsAnybody reports whether those whom no g line gives a role that allows
// something may be allowed something all the same: by the model, by a line for
// everybody, or by a role that tokens bring.
func (l *Linter) allowsAnybody(n *roleNotes, allowed []bool) bool {
	if l.Schema.File.Has(model.CodeModelOpen) || allowed[n.texts.Known("*")] && slices.Contains(l.shape.starred, l.shape.subject) {
		return true
	}
	if l.settings.NoTokenRoles {
		return false
	}
	for i, may := range allowed {
		if name := int32(i); may && !n.given.has(name) && !n.holder.has(name) && name != policy.NumberAnonymous {
			return true
		}
	}
	return false
}

// checkNames looks for users with the name of a role.
func (l *Linter) checkNames(n *roleNotes) {
	byFold := make(map[string]string, len(n.given.names))
	for _, number := range n.given.names {
		name := n.texts.Text(number)
		if fold := strings.ToLower(name); byFold[fold] == "" || name < byFold[fold] {
			byFold[fold] = name
		}
	}
	for _, number := range n.holder.names {
		name := n.texts.Text(number)
		role := byFold[strings.ToLower(name)]
		if role != "" && !n.given.has(number) {
			l.report(l.first(&n.holder, number), 1, model.CodeSameName, "spell both the same if they are one, or give one of them another name",
				"%q differs from the role %q in letter case only", name, role)
		}
	}
	for _, r := range l.Rules {
		if r.IsLink() && r.Number(0) == r.Number(1) {
			l.report(r, 1, model.CodeSameName, "give the user another name, or use WithRolePrefix (--role-prefix)",
				"%q is a user and a role, and a user called like a role gets nothing by that name", r.Field(0))
		}
	}
	l.checkTenantNames(n)
}

// checkTenantNames looks for names that are roles in one tenant and have a
// role, without being one, in another.
func (l *Linter) checkTenantNames(n *roleNotes) {
	g := l.graphs["g"]
	if g == nil || !g.Tenants {
		return
	}
	given := map[policy.Pair]bool{}
	for _, r := range l.Rules {
		if r.IsLink() {
			_, to := g.Pairs(r)
			given[to] = true
		}
	}
	told := map[int32]bool{}
	for _, r := range l.Rules {
		if !r.IsLink() {
			continue
		}
		from, _ := g.Pairs(r)
		if role := l.first(&n.given, from.Name); role != nil && !given[from] && !n.subject.has(from.Name) && !told[from.Name] {
			told[from.Name] = true
			l.report(r, 1, model.CodeSameName, "give one of them another name, or use WithRolePrefix (--role-prefix)",
				"%q looks like a user here and is a role in another tenant (%s); a user called like a role gets nothing by that name", n.texts.Text(from.Name), role.Place())
		}
	}
}
