package casbinrules

import (
	"slices"
	"strings"
)

// roleNotes are what a policy says of names: who is given what.
type roleNotes struct {
	// subject has the names of p lines, given those that g lines give as
	// roles and holder those they are given to; each with its first line.
	subject, given, holder map[string]*rule
}

// checkRoles looks at names: roles that nobody has or that open nothing, and
// users that are called like a role.
func (l *linter) checkRoles() {
	n := roleNotes{map[string]*rule{}, map[string]*rule{}, make(map[string]*rule, l.links())}
	for _, r := range l.rules {
		switch {
		case r.kind() == "p" && l.shape.subject >= 0:
			first(n.subject, value(r, l.shape.subject), r)
		case r.kind() == "g":
			first(n.given, r.fields()[1], r)
			first(n.holder, r.fields()[0], r)
		}
	}
	if l.shape.subject >= 0 {
		l.checkAnonymous(n)
		l.checkSubjectStar(n)
		l.checkAssigned(n)
		l.checkUsed(n)
	}
	l.checkNames(n)
}

// links is how many names g lines give roles to.
func (l *linter) links() int {
	if g := l.graphs["g"]; g != nil {
		return len(g.closures)
	}
	return 0
}

func first(lines map[string]*rule, name string, r *rule) {
	if lines[name] == nil {
		lines[name] = r
	}
}

func (l *linter) checkAnonymous(n roleNotes) {
	if l.config.anonymous {
		return
	}
	const hint = "say AllowAnonymous, or remove the line"
	if r := n.subject[anonymous]; r != nil {
		l.reportColumn(r, l.shape.subject, codeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
	if r := n.holder[anonymous]; r != nil {
		l.report(r, 1, codeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
}

// checkSubjectStar looks for a star that is meant for all subjects and is not
// known to the matcher as such.
func (l *linter) checkSubjectStar(n roleNotes) {
	column := l.shape.subject
	pattern := slices.ContainsFunc(l.schema.patterns, func(p patternColumn) bool { return p.column == column })
	if n.subject["*"] == nil || pattern || slices.Contains(l.shape.starred, column) || n.given["*"] != nil {
		return
	}
	for r := range l.policyRules() {
		if value(r, column) == "*" {
			l.reportColumn(r, column, codeLiteralStar, `name a role that all have, or write p.sub == "*" into the matcher`,
				"the matcher compares subjects as they are, so that * stands only for itself")
		}
	}
}

// checkAssigned looks for roles that no g line gives. Nothing in a policy says
// that a name is a role rather than a user, so it speaks only where all other
// subjects are roles, or where roles have a prefix.
func (l *linter) checkAssigned(n roleNotes) {
	if len(n.given) == 0 {
		return
	}
	var missing []string
	assigned := 0
	for name := range n.subject {
		switch {
		case n.given[name] != nil:
			assigned++
		case name == anonymous || name == "*" || slices.Contains(l.shape.strings, name):
		case !strings.HasPrefix(name, l.config.rolePrefix):
		case n.holder[name] != nil && l.config.rolePrefix == "":
			return // Users have rules of their own here.
		default:
			missing = append(missing, name)
		}
	}
	if l.config.rolePrefix == "" && len(missing) > assigned {
		return
	}
	hint := "add a g line, if it is neither a user nor a role that tokens bring"
	if l.config.noTokenRoles {
		hint = "add a g line, if it is no user"
	}
	for _, name := range missing {
		l.reportColumn(n.subject[name], l.shape.subject, codeNeverAssigned, hint, "no g line gives anybody the role %q", name)
	}
}

// checkUsed looks for roles that give nobody anything: no p line allows them
// something, nor any role they lead to.
func (l *linter) checkUsed(n roleNotes) {
	g := l.graphs["g"]
	if g == nil {
		return
	}
	used := l.usedRoles(n, g)
	told := map[string]bool{}
	for _, r := range l.rules {
		if r.kind() != "g" {
			continue
		}
		_, role := g.ends(r)
		if told[role.name] || used(role) {
			continue
		}
		told[role.name] = true
		if c := g.from(role.tenant, role.name); c != nil {
			for _, l := range c.links {
				told[role.name] = told[role.name] && !used(node{role.tenant, l.name})
			}
		}
		if told[role.name] {
			l.report(r, 2, codeRoleWithoutRule, "add a p line for it, if no rule of the program asks for the role", "no p line allows the role %q anything, nor any role it has", role.name)
		}
	}
}

// usedRoles tells the roles that p lines do something for. One that allows
// does. One that denies takes from a role that gives nothing, unless somebody
// who has the role is allowed something by another line.
func (l *linter) usedRoles(n roleNotes, g *graph) func(node) bool {
	allowed, denied := map[string]bool{}, map[string]bool{}
	for r := range l.policyRules() {
		switch name := value(r, l.shape.subject); l.schema.effectOf(r) {
		case "allow":
			allowed[name] = true
		case "deny":
			denied[name] = true
		}
	}
	anybody := l.allowsAnybody(n, allowed)
	for _, name := range l.shape.strings {
		allowed[name] = true
	}
	deprived := map[node]bool{}
	for from, c := range g.all() {
		if len(denied) == 0 {
			break
		}
		may := anybody || allowed[from.name]
		for _, l := range c.links {
			may = may || allowed[l.name]
		}
		for _, l := range c.links {
			if may && denied[l.name] {
				deprived[node{from.tenant, l.name}] = true
			}
		}
	}
	return func(role node) bool { return allowed[role.name] || deprived[role] }
}

// allowsAnybody reports whether those whom no g line gives a role that allows
// something may be allowed something all the same: by the model, by a line for
// everybody, or by a role that tokens bring.
func (l *linter) allowsAnybody(n roleNotes, allowed map[string]bool) bool {
	if l.schema.file.has(codeModelOpen) || allowed["*"] && slices.Contains(l.shape.starred, l.shape.subject) {
		return true
	}
	for name := range allowed {
		if !l.config.noTokenRoles && n.given[name] == nil && n.holder[name] == nil && name != anonymous {
			return true
		}
	}
	return false
}

// checkNames looks for users with the name of a role.
func (l *linter) checkNames(n roleNotes) {
	byFold := map[string]string{}
	for name := range n.given {
		if fold := strings.ToLower(name); byFold[fold] == "" || name < byFold[fold] {
			byFold[fold] = name
		}
	}
	for name, r := range n.holder {
		role := byFold[strings.ToLower(name)]
		if role != "" && n.given[name] == nil {
			l.report(r, 1, codeSameName, "spell both the same if they are one, or give one of them another name",
				"%q differs from the role %q in letter case only", name, role)
		}
	}
	for _, r := range l.rules {
		if r.kind() == "g" && r.fields()[0] == r.fields()[1] {
			l.report(r, 1, codeSameName, "give the user another name, or use RolePrefix",
				"%q is a user and a role, and a user called like a role gets nothing by that name", r.fields()[0])
		}
	}
	l.checkTenantNames(n)
}

// checkTenantNames looks for names that are roles in one tenant and have a
// role, without being one, in another.
func (l *linter) checkTenantNames(n roleNotes) {
	g := l.graphs["g"]
	if g == nil || !g.tenants {
		return
	}
	given := map[node]bool{}
	for _, r := range l.rules {
		if r.kind() == "g" {
			_, to := g.ends(r)
			given[to] = true
		}
	}
	told := map[string]bool{}
	for _, r := range l.rules {
		if r.kind() != "g" {
			continue
		}
		from, _ := g.ends(r)
		if role := n.given[from.name]; role != nil && !given[from] && n.subject[from.name] == nil && !told[from.name] {
			told[from.name] = true
			l.report(r, 1, codeSameName, "give one of them another name, or use RolePrefix",
				"%q looks like a user here and is a role in another tenant (%s); a user called like a role gets nothing by that name", from.name, role.place())
		}
	}
}
