package casbinrules

import (
	"cmp"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// Rule is one line of a policy, for tools that show or compare policies.
type Rule struct {
	RuleText
	// Kind is "p", "g", "g2" and so on.
	Kind string
	// Fields are the fields after the kind.
	Fields []string
	// Subjects, Tenants, Objects and Actions are what a p line compares with these
	// fields of a request; empty if it does not compare them. In lines of other
	// kinds, Tenants is the tenant of a role link. If role links group actions, the
	// members of a group follow it, sorted.
	Subjects, Tenants, Objects, Actions []Pattern
	// Links is the request field that a role link is about, "sub", "obj" or "act";
	// "" for a link that no decision uses, and for p lines.
	Links string
	// Effect is "allow" or "deny" for a p line, or another text in a policy loaded
	// [WithCasbinSemantics].
	Effect string
}

// Pattern is the value or pattern that a rule compares with a field of a request.
type Pattern struct {
	Text string
	// Function is the matcher function that compares, such as "keyMatch2"; "==" for
	// equality, and "g", "g2" and so on for a role.
	Function string
}

// Matches reports whether the pattern by itself matches value. A role matches only
// its own name.
func (p Pattern) Matches(value string) bool {
	if p.Function == "ipMatch" || slices.Contains(pattern.Functions, p.Function) {
		return pattern.Match(p.Function, value, p.Text)
	}
	return value == p.Text
}

// Rules returns the lines of the policy in force in order, without repetitions.
func (a *Authorizer) Rules() []Rule {
	s := a.current.Load()
	subjects, tenants := s.Schema.ComparedWith("sub"), s.Schema.ComparedWith(s.Schema.TenantName())
	objects, actions := s.Schema.ComparedWith("obj"), s.Schema.ComparedWith("act")
	grouped, links := s.grouped(), map[string]string{}
	for kind := range s.Schema.Roles {
		links[kind] = s.Schema.LinkedField(kind)
	}
	rules := make([]Rule, s.Rules.Len())
	for i, r := range s.Rules.All() {
		made := Rule{RuleText: r.RuleText(), Kind: r.Kind(), Fields: r.Fields(), Links: links[r.Kind()]}
		if r.IsPolicy() {
			made.Subjects, made.Tenants = patternsOf(r, subjects), patternsOf(r, tenants)
			made.Objects, made.Actions = patternsOf(r, objects), grouped(patternsOf(r, actions))
			made.Effect = "allow"
			if s.Schema.Eft >= 0 {
				made.Effect = r.Field(s.Schema.Eft)
			}
		} else if s.Schema.Roles[r.Kind()] == 3 {
			made.Tenants = []Pattern{{r.Field(2), cmp.Or(s.Schema.TenantPatterns(r.Kind()), "==")}}
		}
		rules[i] = made
	}
	return rules
}

// Matcher returns what the model in force compares requests with.
func (a *Authorizer) Matcher() Matcher { return a.current.Load().Schema.ReadComparisons() }

// RequestFields returns the names in the request definition of the model in force, in
// its order, such as "sub", "obj", "act".
func (a *Authorizer) RequestFields() []string { return a.current.Load().Schema.Names("r") }

// grouped returns a function that appends to patterns of actions the members of
// groups.
func (s *policyInForce) grouped() func(patterns []Pattern) []Pattern {
	calls := slices.DeleteFunc(s.Schema.RoleCalls(), func(c model.RoleCall) bool { return c.Field != "r_act" || s.Graphs[c.Text].Tenants })
	return func(patterns []Pattern) []Pattern {
		all := patterns
		for _, c := range calls {
			for _, p := range patterns {
				if p.Function != c.Text {
					continue
				}
				for _, name := range s.Graphs[c.Text].Group(p.Text, c.Reversed) {
					if made := (Pattern{name, p.Function}); !slices.Contains(all, made) {
						all = append(all, made)
					}
				}
			}
		}
		return all
	}
}

// patternsOf returns the patterns of a rule in some of its columns.
func patternsOf(r policy.Rule, columns []model.PatternColumn) []Pattern {
	var made []Pattern
	for _, p := range columns {
		made = append(made, Pattern{r.Field(p.Column), p.Function})
	}
	return made
}
