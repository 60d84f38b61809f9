package casbinrules

import (
	"slices"
	"strings"
)

// roleNotes are what a policy says of names: who is given what.
type roleNotes struct {
	texts *texts
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
func (l *linter) first(f *firstLines, name int32) *rule {
	if !f.has(name) {
		return nil
	}
	return l.rules[f.lines[name]-1]
}

// checkRoles looks at names: roles that nobody has or that open nothing, and
// users that are called like a role.
func (l *linter) checkRoles() {
	if len(l.rules) == 0 {
		return
	}
	n := &roleNotes{texts: l.rules[0].texts}
	for _, f := range []*firstLines{&n.subject, &n.given, &n.holder} {
		f.lines = make([]int32, n.texts.numbers())
	}
	for i, r := range l.rules {
		switch {
		case r.isPolicy() && l.shape.subject >= 0:
			n.subject.note(r.number(l.shape.subject), i)
		case r.isLink():
			n.given.note(r.number(1), i)
			n.holder.note(r.number(0), i)
		}
	}
	if l.shape.subject >= 0 {
		l.checkAnonymous(n)
		l.checkSubjectStar(n)
	}
	if !l.schema.linksUsers() {
		return // Its names are no roles of users.
	}
	if l.shape.subject >= 0 {
		l.checkAssigned(n)
		l.checkUsed(n)
	}
	l.checkNames(n)
}

func (l *linter) checkAnonymous(n *roleNotes) {
	if l.config.anonymous {
		return
	}
	const hint = "say WithAnonymous, or remove the line"
	if r := l.first(&n.subject, numberAnonymous); r != nil {
		l.reportColumn(r, l.shape.subject, codeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
	if r := l.first(&n.holder, numberAnonymous); r != nil {
		l.report(r, 1, codeAnonymous, hint, "requests without credentials are not judged by the policy, and nobody else is called anonymous")
	}
}

// checkSubjectStar looks for a star that is meant for all subjects and is not
// known to the matcher as such.
func (l *linter) checkSubjectStar(n *roleNotes) {
	column := l.shape.subject
	pattern := slices.ContainsFunc(l.schema.patterns, func(p patternColumn) bool { return p.column == column })
	star := n.texts.known("*")
	if !n.subject.has(star) || pattern || slices.Contains(l.shape.starred, column) || n.given.has(star) {
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
func (l *linter) checkAssigned(n *roleNotes) {
	if len(n.given.names) == 0 {
		return
	}
	var missing []int32
	assigned := 0
	for _, number := range n.subject.names {
		switch name := n.texts.text(number); {
		case n.given.has(number):
			assigned++
		case name == anonymous || name == "*" || slices.Contains(l.shape.strings, name):
		case !strings.HasPrefix(name, l.config.rolePrefix):
		case n.holder.has(number) && l.config.rolePrefix == "":
			return // Users have rules of their own here.
		default:
			missing = append(missing, number)
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
		l.reportColumn(l.first(&n.subject, name), l.shape.subject, codeNeverAssigned, hint, "no g line gives anybody the role %q", n.texts.text(name))
	}
}

// checkUsed looks for roles that give nobody anything: no p line allows them
// something, nor any role they lead to.
func (l *linter) checkUsed(n *roleNotes) {
	g := l.graphs["g"]
	if g == nil {
		return
	}
	used := l.usedRoles(n, g)
	told := make([]bool, n.texts.numbers())
	for _, r := range l.rules {
		if !r.isLink() {
			continue
		}
		_, role := g.pairs(r)
		if told[role.name] || used(role) {
			continue
		}
		told[role.name] = true
		if c := g.of(role); c != nil {
			for _, l := range c.links {
				told[role.name] = told[role.name] && !used(pair{role.tenant, l.number})
			}
		}
		if told[role.name] {
			l.report(r, 2, codeRoleWithoutRule, "add a p line for it, if no rule of the program asks for the role", "no p line allows the role %q anything, nor any role it has", n.texts.text(role.name))
		}
	}
}

// usedRoles tells the roles that p lines do something for. One that allows
// does. One that denies takes from a role that gives nothing, unless somebody
// who has the role is allowed something by another line.
func (l *linter) usedRoles(n *roleNotes, g *graph) func(pair) bool {
	allowed, denied := make([]bool, n.texts.numbers()), make([]bool, n.texts.numbers())
	denies := false
	for r := range l.policyRules() {
		switch name := r.number(l.shape.subject); l.schema.effectOf(r) {
		case "allow":
			allowed[name] = true
		case "deny":
			denied[name], denies = true, true
		}
	}
	anybody := l.allowsAnybody(n, allowed)
	for _, name := range l.shape.strings {
		allowed[n.texts.known(name)] = true // of nothing, when it is unknown
	}
	deprived := map[pair]bool{}
	for from, c := range g.each() {
		if !denies {
			break
		}
		may := anybody || allowed[from.name]
		for _, l := range c.links {
			may = may || allowed[l.number]
		}
		for _, l := range c.links {
			if may && denied[l.number] {
				deprived[pair{from.tenant, l.number}] = true
			}
		}
	}
	return func(role pair) bool { return allowed[role.name] || deprived[role] }
}

// allowsAnybody reports whether those whom no g line gives a role that allows
// something may be allowed something all the same: by the model, by a line for
// everybody, or by a role that tokens bring.
func (l *linter) allowsAnybody(n *roleNotes, allowed []bool) bool {
	if l.schema.file.has(codeModelOpen) || allowed[n.texts.known("*")] && slices.Contains(l.shape.starred, l.shape.subject) {
		return true
	}
	if l.config.noTokenRoles {
		return false
	}
	for i, may := range allowed {
		if name := int32(i); may && !n.given.has(name) && !n.holder.has(name) && name != numberAnonymous {
			return true
		}
	}
	return false
}

// checkNames looks for users with the name of a role.
func (l *linter) checkNames(n *roleNotes) {
	byFold := make(map[string]string, len(n.given.names))
	for _, number := range n.given.names {
		name := n.texts.text(number)
		if fold := strings.ToLower(name); byFold[fold] == "" || name < byFold[fold] {
			byFold[fold] = name
		}
	}
	for _, number := range n.holder.names {
		name := n.texts.text(number)
		role := byFold[strings.ToLower(name)]
		if role != "" && !n.given.has(number) {
			l.report(l.first(&n.holder, number), 1, codeSameName, "spell both the same if they are one, or give one of them another name",
				"%q differs from the role %q in letter case only", name, role)
		}
	}
	for _, r := range l.rules {
		if r.isLink() && r.number(0) == r.number(1) {
			l.report(r, 1, codeSameName, "give the user another name, or use WithRolePrefix",
				"%q is a user and a role, and a user called like a role gets nothing by that name", r.field(0))
		}
	}
	l.checkTenantNames(n)
}

// checkTenantNames looks for names that are roles in one tenant and have a
// role, without being one, in another.
func (l *linter) checkTenantNames(n *roleNotes) {
	g := l.graphs["g"]
	if g == nil || !g.tenants {
		return
	}
	given := map[pair]bool{}
	for _, r := range l.rules {
		if r.isLink() {
			_, to := g.pairs(r)
			given[to] = true
		}
	}
	told := map[int32]bool{}
	for _, r := range l.rules {
		if !r.isLink() {
			continue
		}
		from, _ := g.pairs(r)
		if role := l.first(&n.given, from.name); role != nil && !given[from] && !n.subject.has(from.name) && !told[from.name] {
			told[from.name] = true
			l.report(r, 1, codeSameName, "give one of them another name, or use WithRolePrefix",
				"%q looks like a user here and is a role in another tenant (%s); a user called like a role gets nothing by that name", n.texts.text(from.name), role.place())
		}
	}
}
