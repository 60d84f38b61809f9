package lint

import (
	"iter"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// roleNotes are what a policy says about names: who is assigned what.
type roleNotes struct {
	rules policy.Rules
	pace  *pace.Pace
	// subject is the column of p lines with names, or -1.
	subject int
	uses    []nameUse // by the number of the name
	// selfLinked are the g lines that assign a name to itself.
	selfLinked policy.Rules
	firsts     map[nameUse][]int32
}

// nameUse is a set of the ways in which lines use a name.
type nameUse uint8

const (
	subject nameUse = 1 << iota // a p line is for it,
	allowed                     // one that allows,
	denied                      // or one that denies
	given                       // a g line assigns it as a role
	holder                      // a g line assigns a role to it
)

func (l *Linter) noteRoles() *roleNotes {
	n := &roleNotes{rules: l.Rules, pace: l.settings.Pace, subject: l.shape.subject, uses: make([]nameUse, l.Texts.Numbers()), firsts: map[nameUse][]int32{}}
	for _, r := range l.Rules.All() {
		l.settings.Pace.Step()
		switch {
		case r.IsPolicy() && n.subject >= 0:
			n.uses[r.Number(n.subject)] |= subject | l.effectUse(r)
		case r.IsLink():
			from, to := r.Number(0), r.Number(1)
			n.uses[from] |= holder
			n.uses[to] |= given
			if from == to {
				n.selfLinked.Add(r)
			}
		}
	}
	return n
}

func (l *Linter) effectUse(r policy.Rule) nameUse {
	switch policy.EffectOf(l.Schema, r) {
	case "allow":
		return allowed
	case "deny":
		return denied
	}
	return 0
}

// has reports whether a name has a use.
func (n *roleNotes) has(use nameUse, name int32) bool { return n.uses[name]&use != 0 }

// any reports whether any name has a use.
func (n *roleNotes) any(use nameUse) bool {
	return slices.ContainsFunc(n.uses, func(u nameUse) bool { return u&use != 0 })
}

// each returns the names that have one of the uses.
func (n *roleNotes) each(uses nameUse) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for name, u := range n.uses {
			if u&uses != 0 && !yield(int32(name)) {
				return
			}
		}
	}
}

// first returns the first line with a name as subject, given or holder, or the zero Rule.
func (n *roleNotes) first(use nameUse, name int32) policy.Rule {
	if !n.has(use, name) {
		return policy.Rule{}
	}
	lines := n.firsts[use] // counted from 1
	if lines == nil {
		lines = make([]int32, len(n.uses))
		for i, r := range n.rules.Each(n.pace) {
			if at := n.nameIn(r, use); at != 0 && lines[at] == 0 {
				lines[at] = int32(i) + 1
			}
		}
		n.firsts[use] = lines
	}
	return n.rules.At(int(lines[name]) - 1)
}

// nameIn returns the name that a rule has as subject, given or holder, or 0.
func (n *roleNotes) nameIn(r policy.Rule, use nameUse) int32 {
	switch {
	case use == subject && r.IsPolicy():
		return r.Number(n.subject)
	case use == given && r.IsLink():
		return r.Number(1)
	case use == holder && r.IsLink():
		return r.Number(0)
	}
	return 0
}

// checkRoles checks names: it finds roles that nobody has or that allow nothing,
// and users with the name of a role.
func (l *Linter) checkRoles() {
	if l.Rules.Len() == 0 {
		return
	}
	n := l.noteRoles()
	rest := l.settings.Pace.RestIfDue
	if l.shape.subject >= 0 {
		l.checkAnonymous(n)
		rest()
		l.checkAnonymousPatterns()
		l.checkSubjectStar(n)
	}
	if !l.Schema.LinksUsers() {
		return // Its names are not roles of users.
	}
	if l.shape.subject >= 0 && l.Schema.RolePatterns("g") == "" { // with these, any name may be assigned or used
		rest()
		l.checkAssigned(n)
		rest()
		l.checkUsed(n)
		rest()
	}
	l.checkDefaultRole(n)
	l.checkSameNames(n)
}

func (l *Linter) checkAnonymous(n *roleNotes) {
	if l.settings.Anonymous {
		return
	}
	const hint = "use WithAnonymous (--allow-anonymous, anonymous: true), or remove the line"
	if r := n.first(subject, policy.NumberAnonymous); !r.IsZero() {
		l.reportColumn(r, l.shape.subject, model.CodeAnonymous, hint, "the policy does not decide about requests without credentials, and no one else is called anonymous")
	}
	if r := n.first(holder, policy.NumberAnonymous); !r.IsZero() {
		l.report(r, 1, model.CodeAnonymous, hint, "the policy does not decide about requests without credentials, and no one else is called anonymous")
	}
}

// checkSubjectStar finds a star that is meant for all subjects but has no special
// meaning to the matcher.
func (l *Linter) checkSubjectStar(n *roleNotes) {
	column := l.shape.subject
	pattern := l.Schema.NamePattern("p", column) != "" ||
		slices.ContainsFunc(l.Schema.Patterns, func(p model.PatternColumn) bool { return p.Column == column })
	star := n.rules.Texts.Known("*")
	if !n.has(subject, star) || pattern || slices.Contains(l.shape.starred, column) || n.has(given, star) {
		return
	}
	for r := range l.policyRules() {
		if policy.ValueAt(r, column) == "*" {
			l.reportColumn(r, column, model.CodeLiteralStar, `name a role that everybody has, or write p.sub == "*" into the matcher`,
				"the matcher compares subjects as they are, so * matches only itself")
		}
	}
}

// checkAssigned finds roles that no g line assigns. Nothing in a policy says that a
// name is a role rather than a user, so it reports them only if all other subjects
// are roles, or if roles have a prefix.
func (l *Linter) checkAssigned(n *roleNotes) {
	if !n.any(given) {
		return
	}
	var missing []int32
	assigned := 0
	most := 1 // upper bound for assigned roles, including the default role
	for number := range n.each(subject) {
		if n.has(given, number) {
			most++
		}
	}
	for number := range n.each(subject) {
		if n.has(given, number) {
			assigned++
			continue
		}
		switch name := n.rules.Texts.Text(number); {
		case name == l.defaultRole():
			assigned++
		case name == policy.Anonymous || name == "*" || slices.Contains(l.shape.strings, name):
		case !strings.HasPrefix(name, l.settings.RolePrefix):
		case n.has(holder, number) && l.settings.RolePrefix == "":
			return // In this policy users have rules of their own.
		case l.settings.RolePrefix == "" && len(missing) == most:
			return // There are more of them than assigned roles.
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
		l.reportColumn(n.first(subject, name), l.shape.subject, model.CodeNeverAssigned, hint, "no g line gives anybody the role %q", n.rules.Texts.Text(name))
	}
}

// checkUsed finds roles that give nobody anything: no p line allows something to
// them or to any role that they lead to.
func (l *Linter) checkUsed(n *roleNotes) {
	g := l.graphs["g"]
	if g == nil || g.Patterned() { // a role may have others in any tenant that a pattern matches
		return
	}
	useless := false
	for role := range n.each(given) {
		useless = useless || !n.has(allowed, role)
	}
	if !useless {
		return
	}
	used := l.usedRoles(n, g)
	told := make([]bool, n.rules.Texts.Numbers())
	for _, r := range l.Rules.Each(l.settings.Pace) {
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
			l.report(r, 2, model.CodeRoleWithoutRule, "add a p line for it, if no rule of the program asks for the role", "no p line allows the role %q anything, nor any role it has", n.rules.Texts.Text(role.Name))
		}
	}
}

// usedRoles returns a function that reports for which roles p lines have an effect.
// A line that allows has one. A line that denies has none for a role that gives
// nothing, unless somebody with the role is allowed something by another line.
func (l *Linter) usedRoles(n *roleNotes, g *policy.Graph) func(policy.Pair) bool {
	denies := n.any(denied)
	anybody := denies && l.allowsAnybody(n)
	for _, name := range l.shape.strings {
		n.uses[n.rules.Texts.Known(name)] |= allowed // of number 0 if the name is unknown
	}
	deprived := map[policy.Pair]bool{}
	for from, c := range g.Each() {
		if !denies {
			break
		}
		may := anybody || n.has(allowed, from.Name)
		for _, l := range c.Links {
			may = may || n.has(allowed, l.Number)
		}
		for _, l := range c.Links {
			if may && n.has(denied, l.Number) {
				deprived[policy.Pair{Tenant: from.Tenant, Name: l.Number}] = true
			}
		}
	}
	return func(role policy.Pair) bool { return n.has(allowed, role.Name) || deprived[role] }
}

// allowsAnybody reports whether subjects to whom no g line assigns a role that
// allows something may nevertheless be allowed something: by the model, by a line
// for everybody, or by a role from tokens.
func (l *Linter) allowsAnybody(n *roleNotes) bool {
	if l.Schema.File.Has(model.CodeModelOpen) || n.has(allowed, n.rules.Texts.Known("*")) && slices.Contains(l.shape.starred, l.shape.subject) {
		return true
	}
	if l.settings.NoTokenRoles {
		return false
	}
	for name := range n.each(allowed) {
		if !n.has(given|holder, name) && name != policy.NumberAnonymous {
			return true
		}
	}
	return false
}

// checkSameNames finds users with the name of a role.
func (l *Linter) checkSameNames(n *roleNotes) {
	if slices.ContainsFunc(n.rules.Texts.Capitals, func(name int32) bool { return n.has(given|holder, name) }) {
		l.checkCapitals(n)
	}
	for _, r := range n.selfLinked.All() {
		l.report(r, 1, model.CodeSameName, "give the user another name, or use WithRolePrefix (--role-prefix)",
			"%q is a user and a role, and a user called like a role gets nothing by that name", r.Field(0))
	}
	l.checkTenantNames(n)
}

// checkCapitals finds users whose names differ from those of roles only in letter case.
func (l *Linter) checkCapitals(n *roleNotes) {
	byFold := map[string]string{}
	for number := range n.each(given) {
		name := n.rules.Texts.Text(number)
		if fold := strings.ToLower(name); byFold[fold] == "" || name < byFold[fold] {
			byFold[fold] = name
		}
	}
	for number := range n.each(holder) {
		name := n.rules.Texts.Text(number)
		role := byFold[strings.ToLower(name)]
		if role != "" && !n.has(given, number) {
			l.report(n.first(holder, number), 1, model.CodeSameName, "spell both the same if they are one, or give one of them another name",
				"%q differs from the role %q in letter case only", name, role)
		}
	}
}

// checkTenantNames finds names that are roles in one tenant and, in another, have a
// role without being one.
func (l *Linter) checkTenantNames(n *roleNotes) {
	g := l.graphs["g"]
	const both = given | holder
	if g == nil || !g.Tenants || g.Patterned() || !slices.ContainsFunc(n.uses, func(u nameUse) bool { return u&both == both && u&subject == 0 }) {
		return
	}
	isRole := map[policy.Pair]bool{}
	for _, r := range l.Rules.All() {
		if r.IsLink() {
			_, to := g.Pairs(r)
			isRole[to] = true
		}
	}
	told := map[int32]bool{}
	for _, r := range l.Rules.All() {
		if !r.IsLink() {
			continue
		}
		from, _ := g.Pairs(r)
		if role := n.first(given, from.Name); !role.IsZero() && !isRole[from] && !n.has(subject, from.Name) && !told[from.Name] {
			told[from.Name] = true
			l.report(r, 1, model.CodeSameName, "give one of them another name, or use WithRolePrefix (--role-prefix)",
				"%q looks like a user here and is a role in another tenant (%s); a user called like a role gets nothing by that name", n.rules.Texts.Text(from.Name), role.Place())
		}
	}
}
