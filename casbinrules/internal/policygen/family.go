// Package policygen generates random policies for models of all kinds, for tests
// that compare decisions with Casbin's.
package policygen

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Family is a kind of model, with the values of which its random policies consist.
type Family struct {
	Name string
	Text string // of the model
	// Fields are those of a p line: "sub", "dom", "obj", "act", "eft",
	// "priority", "region", and those of Typed.
	Fields []string
	// Roles is the number of fields of a g line, 0 for none; ResourceRoles reports
	// that there are g2 lines.
	Roles         int
	ResourceRoles bool
	Objects       []string
	Actions       []string
	// TokenRoles reports that credentials may carry roles.
	TokenRoles bool
	// Region reports that the last request field is the attribute "region".
	Region bool
	// Typed are further attributes, and policy fields, that have a type. CasbinText
	// is an equivalent model that Casbin evaluates with Functions; "" if it is Text.
	Typed      []TypedField
	CasbinText string
	// AsCasbin reports that the policy has Casbin semantics.
	AsCasbin bool
	// Names are additional users and roles, Tenants additional tenants.
	Names, Tenants []string
	// RolePatterns is the function by which names in links of PatternKind are
	// patterns, and TenantPatterns reports that an option makes the tenants of g
	// patterns. Linked are the names that links connect, from earlier to later ones,
	// and LinkTenants further tenants of links.
	PatternKind, RolePatterns string
	TenantPatterns            bool
	Linked, LinkTenants       []string
	// Owner reports that the last request field is the owner of the object.
	Owner bool
	// DefaultRole is a role that everybody has, or "".
	DefaultRole string
	// Timed are the kinds of role links that have a start and an end or, with
	// Conditions, the condition Holds.
	Timed      []string
	Conditions bool
}

// ModelText returns a model with these definitions; g are the lines of the role
// definition, or "".
func ModelText(r, p, g, e, m string) string {
	text := "[request_definition]\nr = " + r + "\n[policy_definition]\np = " + p + "\n"
	if g != "" {
		text += "[role_definition]\n" + g + "\n"
	}
	return text + "[policy_effect]\ne = " + e + "\n[matchers]\nm = " + m + "\n"
}

// Pick returns a random element of from.
func Pick(rnd *rand.Rand, from []string) string { return from[rnd.IntN(len(from))] }

// Policy returns random lines for the family. Role links only lead from lower to
// higher numbers, so there is no cycle.
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
		if i, j := rnd.IntN(n), rnd.IntN(n); i < j && !slices.Contains(principals, f.Linked[j]) { // principals must not be roles
			link(f.Linked[i], f.Linked[j])
		}
	}
	if f.Linked != nil {
		return lines
	}
	for i := range f.Names {
		// Links only lead from earlier to later names, so there is no cycle.
		link(Pick(rnd, append([]string{"u0", "u1"}, f.Names[:i]...)), f.Names[i])
	}
	// A subject-priority model sorts by the depth of roles, which Casbin computes in
	// map order: only a tree has a deterministic result.
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
		// A chain of exactly ten links up to r4, of which a role of the credentials
		// reaches the ninth but not the tenth.
		for i := range 9 {
			link("c"+strconv.Itoa(i), "c"+strconv.Itoa(i+1))
		}
		link("c9", "r9")
		lines = append(lines, "p, "+strings.Join(f.longChainRule(), ", "))
	}
	return lines
}

// longChainRule returns the fields of a p line for the end of the long chain.
func (f Family) longChainRule() []string {
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
