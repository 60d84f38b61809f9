package casbinrules

import (
	"net"
	"slices"

	"github.com/casbin/casbin/v2/util"
)

// Rule is one line of a policy, for tools that show or compare policies.
type Rule struct {
	RuleText
	// Kind is "p", "g", "g2" and so on.
	Kind string
	// Fields are what stands behind the kind.
	Fields []string
	// Subjects, Tenants, Objects and Actions say what a p line compares with
	// these fields of a request; empty for what it does not compare, and for
	// lines of other kinds. Where role links group actions, those of a group
	// follow it, sorted.
	Subjects, Tenants, Objects, Actions []Pattern
	// Links is the field of a request that a role link is about, "sub", "obj"
	// or "act"; "" for one that no decision looks at, and for p lines.
	Links string
	// Effect is "allow" or "deny" for a p line, or what else a policy loaded
	// [WithCasbinSemantics] says there.
	Effect string
}

// Pattern is what a rule compares a field of a request with.
type Pattern struct {
	Text string
	// Function is the function of the matcher that compares, such as
	// "keyMatch2"; it is "==" for equality and "g", "g2" and so on for a role.
	Function string
}

// Matches reports whether the pattern by itself matches value. That of a role
// matches its own name only.
func (p Pattern) Matches(value string) bool {
	if p.Function == "ipMatch" {
		return net.ParseIP(value) != nil && checkPattern("ipMatch", p.Text) == nil && util.IPMatch(value, p.Text)
	}
	if slices.Contains(patternFunctions, p.Function) {
		return matches(p.Function, value, p.Text)
	}
	return value == p.Text
}

// Rules are the lines of the policy in force in their order, without those that
// repeat another.
func (a *Authorizer) Rules() []Rule {
	s := a.current.Load()
	subjects, tenants := s.schema.comparedWith("sub"), s.schema.comparedWith(s.schema.tenantName())
	objects, actions := s.schema.comparedWith("obj"), s.schema.comparedWith("act")
	links := map[string]string{}
	for kind := range s.schema.roles {
		links[kind] = s.schema.linkedField(kind)
	}
	rules := make([]Rule, len(s.rules))
	for i, r := range s.rules {
		made := Rule{RuleText: r.written(), Kind: r.kind(), Fields: r.fields(), Links: links[r.kind()]}
		if r.isPolicy() {
			made.Subjects, made.Tenants = patternsOf(r, subjects), patternsOf(r, tenants)
			made.Objects, made.Actions = patternsOf(r, objects), s.withGrouped(patternsOf(r, actions))
			made.Effect = "allow"
			if s.schema.eft >= 0 {
				made.Effect = r.field(s.schema.eft)
			}
		}
		rules[i] = made
	}
	return rules
}

// Matcher is what the model in force compares requests with.
func (a *Authorizer) Matcher() Matcher { return a.current.Load().schema.readComparisons() }

// Patterns are what the rule compares a request field with by the matcher m.
// It is empty for lines that are not p lines.
func (r Rule) Patterns(m Matcher, field string) []Pattern {
	var made []Pattern
	if r.Kind != "p" {
		return nil
	}
	for _, c := range m.Comparisons {
		if c.Field == field && c.Column >= 0 && c.Column < len(r.Fields) {
			made = append(made, Pattern{r.Fields[c.Column], c.Function})
		}
	}
	return made
}

// RequestFields are the names in the request definition of the model in force,
// in its order, such as "sub", "obj", "act".
func (a *Authorizer) RequestFields() []string { return a.current.Load().schema.names("r") }

// tenantName is what the request definition calls the tenant, or "".
func (s *schema) tenantName() string {
	for i, name := range s.names("r") {
		if s.request[i] == fieldTenant {
			return name
		}
	}
	return ""
}

// comparedWith are the policy fields that one request field is compared with.
func (s *schema) comparedWith(field string) []patternColumn {
	var found []patternColumn
	add := func(column int, function string) {
		if c := (patternColumn{column, function}); column >= 0 && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	if field == "" {
		return nil
	}
	for _, name := range compared(s.matcherTokens, "r_"+field) {
		add(s.column(name), "==")
	}
	for _, c := range append(calls(s.matcherTokens), regexpOperators(s.matcherTokens)...) {
		if c.arg(0).text == "r_"+field {
			add(s.column(c.arg(1).text), c.name)
		}
	}
	for _, c := range s.roleCalls() {
		if c.reversed && c.field == "r_"+field {
			add(c.column, c.name)
		}
	}
	return found
}

// withGrouped adds to patterns those that role links make of a group.
func (s *policyInForce) withGrouped(patterns []Pattern) []Pattern {
	all := patterns
	for _, c := range s.schema.roleCalls() {
		g := s.graphs[c.name]
		if c.field != "r_act" || g.tenants {
			continue
		}
		for _, p := range patterns {
			if p.Function != c.name {
				continue
			}
			for _, name := range g.group(p.Text, c.reversed) {
				if made := (Pattern{name, p.Function}); !slices.Contains(all, made) {
					all = append(all, made)
				}
			}
		}
	}
	return all
}

// group are the names that have a role, or with back the roles that a name has,
// sorted.
func (g *graph) group(name string, back bool) []string {
	var names []string
	if back {
		if c := g.from("", name); c != nil {
			for _, l := range c.links {
				names = append(names, l.name)
			}
		}
	} else {
		for from, c := range g.each() {
			if _, ok := c.to(name); ok {
				names = append(names, g.texts.text(from.name))
			}
		}
	}
	slices.Sort(names)
	return names
}

// patternsOf are what a rule has in some of its fields.
func patternsOf(r *rule, columns []patternColumn) []Pattern {
	var made []Pattern
	for _, p := range columns {
		made = append(made, Pattern{r.field(p.column), p.function})
	}
	return made
}
