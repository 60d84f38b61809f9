// Package policygen generates random policies for models of all kinds, for tests
// that compare decisions with Casbin's.
package policygen

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Family is a kind of model, with what random policies for it are made of.
type Family struct {
	Name string
	Text string // of the model
	// Fields are those of a p line: "sub", "dom", "obj", "act", "eft",
	// "priority", "region", and those of Typed.
	Fields []string
	// Roles is the number of fields of a g line, 0 for none; ResourceRoles says
	// that there are g2 lines.
	Roles         int
	ResourceRoles bool
	Objects       []string
	Actions       []string
	// TokenRoles says that credentials may bring roles.
	TokenRoles bool
	// Region says that requests end in an attribute of that name.
	Region bool
	// Typed are further attributes, and fields of the policy, that have a type;
	// CasbinText is the model with which Casbin compares the same by Functions,
	// "" for Text.
	Typed      []TypedField
	CasbinText string
	// AsCasbin says that the policy means what Casbin takes it for.
	AsCasbin bool
	// Names are those of users and roles, Tenants those of tenants, where they
	// are not the usual ones.
	Names, Tenants []string
	// RolePatterns is the function by which names in links of PatternKind are
	// patterns, and TenantPatterns says that an option makes the tenants of g
	// patterns. Linked are the names that links go between, from earlier to later
	// ones, and LinkTenants further tenants of links.
	PatternKind, RolePatterns string
	TenantPatterns            bool
	Linked, LinkTenants       []string
	// Owner says that requests end in the owner of the object, of that name.
	Owner bool
	// DefaultRole is a role of everybody, "" for none.
	DefaultRole string
	// Timed are the kinds of role links that have a start and an end or, with
	// Conditions, a condition that Holds knows.
	Timed      []string
	Conditions bool
}

// ModelText is a model of these definitions; g is that of roles with its keys, or
// "".
func ModelText(r, p, g, e, m string) string {
	text := "[request_definition]\nr = " + r + "\n[policy_definition]\np = " + p + "\n"
	if g != "" {
		text += "[role_definition]\n" + g + "\n"
	}
	return text + "[policy_effect]\ne = " + e + "\n[matchers]\nm = " + m + "\n"
}

// Pick takes one of from.
func Pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }

// Policy is random lines for the family. Role links only go from lower to
// higher numbers, so that there is no circle.
func (f Family) Policy(rnd *rand.Rand) []string {
	names := slices.Concat([]string{"u0", "u1", "u2", "r0", "r1", "r2", "r3", "r4", "root"}, f.Names, f.Linked)
	var lines []string
	for range 1 + rnd.IntN(12) {
		line := "p"
		for _, field := range f.Fields {
			if rules := f.rulesOf(field); rules != nil {
				line += ", " + Pick(rnd, rules)
				continue
			}
			line += ", " + map[string]string{
				"sub": Pick(rnd, names), "dom": Pick(rnd, append([]string{"t1", "t2"}, f.Tenants...)),
				"obj": Pick(rnd, f.Objects), "act": Pick(rnd, f.Actions),
				"eft": Pick(rnd, []string{"allow", "allow", "deny"}), "priority": strconv.Itoa(rnd.IntN(4)),
				"region": Pick(rnd, []string{"eu", "us"}),
			}[field]
		}
		lines = append(lines, line)
	}
	if f.Roles > 0 {
		lines = append(lines, f.links(rnd)...)
	}
	if f.ResourceRoles {
		lines = append(lines, "g2, /a, group1", "g2, /b/2/c, group2", "g2, group1, group2")
	}
	if f.ResourceRoles && f.RolePatterns != "" {
		lines = append(lines, "g2, "+Pick(rnd, paths2)+", "+Pick(rnd, []string{"group1", "group2", "group:id", "/b/:id"}))
	}
	if f.Timed != nil {
		lines = f.withTimes(rnd, lines)
	}
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

func (f Family) links(rnd *rand.Rand) []string {
	var lines []string
	link := func(from, to string) {
		line := "g, " + from + ", " + to
		if f.Roles == 3 {
			line += ", " + Pick(rnd, slices.Concat([]string{"t1", "t2"}, f.Tenants, f.LinkTenants))
		}
		lines = append(lines, line)
	}
	for n := len(f.Linked); n > 0 && len(lines) < 9; {
		if i, j := rnd.IntN(n), rnd.IntN(n); i < j && !slices.Contains(principals, f.Linked[j]) { // whose names are not those of roles
			link(f.Linked[i], f.Linked[j])
		}
	}
	if f.Linked != nil {
		return lines
	}
	for i := range f.Names {
		// From earlier to later names alone, so that there is no circle.
		link(Pick(rnd, append([]string{"u0", "u1"}, f.Names[:i]...)), f.Names[i])
	}
	// A subject-priority model sorts by the depth of roles, which Casbin finds
	// in map order: only a tree has one answer.
	tree := f.Name == "subject priority"
	for i := range 5 {
		if tree {
			link("r"+strconv.Itoa(i), "r"+strconv.Itoa(i+1))
			continue
		}
		for range rnd.IntN(3) {
			link("r"+strconv.Itoa(i), "r"+strconv.Itoa(i+1+rnd.IntN(4)))
		}
	}
	for _, user := range []string{"u0", "u1"} {
		link(user, "r"+strconv.Itoa(rnd.IntN(5)))
	}
	if f.Roles == 2 && !tree && rnd.IntN(4) == 0 {
		// A chain of exactly ten links up to r4, of which a token role reaches
		// the ninth and not the tenth.
		for i := range 9 {
			link("c"+strconv.Itoa(i), "c"+strconv.Itoa(i+1))
		}
		link("c9", "r9")
		lines = append(lines, "p, "+strings.Join(f.chained(), ", "))
	}
	return lines
}

// chained are the fields of a p line for the end of the long chain.
func (f Family) chained() []string {
	var fields []string
	for _, field := range f.Fields {
		if rules := f.rulesOf(field); rules != nil {
			fields = append(fields, rules[0])
			continue
		}
		fields = append(fields, map[string]string{"sub": "r9", "obj": f.Objects[0], "act": f.Actions[0], "eft": "allow", "priority": "0", "region": "eu"}[field])
	}
	return fields
}
