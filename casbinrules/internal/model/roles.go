package model

import (
	"slices"
	"strings"
)

// NamesRole reports whether the matcher itself names a role in links of a kind.
func (s *Schema) NamesRole(kind, name string) bool {
	return slices.ContainsFunc(s.RoleCalls(), func(c RoleCall) bool {
		return c.Text == kind && slices.ContainsFunc(c.Parts, func(arg *Node) bool { return arg.Kind == NodeText && arg.Text == name })
	})
}

// RoleEnd returns the field of a link that holds the role that the policy names.
func (c RoleCall) RoleEnd() int {
	if c.Reversed {
		return 0
	}
	return 1
}

// RoleCall is a call of a role definition in the matcher, such as
// g(r.sub, p.sub).
type RoleCall struct {
	*Node
	// Field is the request field at one end of the link, such as "r_sub", or "". It
	// is the end that has the role unless Reversed is set.
	Field    string
	Reversed bool
	// Column is the policy field at the other end, or -1.
	Column int
}

// RoleCalls returns the calls of role definitions, in the order of the matcher.
func (s *Schema) RoleCalls() []RoleCall {
	var found []RoleCall
	for _, c := range s.Tree.calls() {
		if s.Roles[c.Text] == 0 {
			continue
		}
		made := RoleCall{Node: c, Column: -1}
		for i, other := range []int{1, 0} {
			if name := c.Arg(i).Name(); strings.HasPrefix(name, "r_") && made.Field == "" {
				made.Field, made.Reversed, made.Column = name, i == 1, s.Column(c.Arg(other).Name())
			}
		}
		found = append(found, made)
	}
	return found
}

// LinksUsers reports whether g says which roles the subject of a request has. In
// other models it may be about actions, or nothing.
func (s *Schema) LinksUsers() bool {
	return slices.ContainsFunc(s.RoleCalls(), func(c RoleCall) bool { return c.Text == "g" && c.Field == "r_sub" && !c.Reversed })
}

// ReadMatcherRoles records the roles that the matcher names.
func (s *Schema) ReadMatcherRoles() {
	for _, c := range s.RoleCalls() {
		if role := c.Arg(1); c.Text == "g" && c.Field == "r_sub" && !c.Reversed && role.Kind == NodeText && !slices.Contains(s.MatcherRoles, role.Text) {
			s.MatcherRoles = append(s.MatcherRoles, role.Text)
		}
	}
}

// NamesRoles reports whether g lines say who has which role, either to the policy
// or, if the matcher never calls g, only to rules of the program.
func (s *Schema) NamesRoles() bool { return s.LinksUsers() || !s.Calls("g") }

// LinkedField returns the request field, without its "r_", that the links of a kind
// are about, or "".
func (s *Schema) LinkedField(kind string) string {
	if kind == "g" && s.Effect == SubjectPriorityEffect {
		return "sub"
	}
	for _, c := range s.RoleCalls() {
		if field, ok := strings.CutPrefix(c.Field, "r_"); ok && c.Text == kind {
			return field
		}
	}
	return ""
}

// UsesLinks reports whether a decision uses the role links of a kind.
func (s *Schema) UsesLinks(kind string) bool {
	return s.Calls(kind) || kind == "g" && s.Effect == SubjectPriorityEffect
}

// WhyNoRoles says why the roles of users have no effect; "" if they do.
func (s *Schema) WhyNoRoles() string {
	switch {
	case s.LinksUsers():
		return ""
	case s.Roles["g"] == 0:
		return "the model has no role definition g, so roles have no effect"
	case !s.UsesLinks("g"):
		return "the matcher never calls g, so roles have no effect"
	case s.Calls("g"):
		return "the matcher does not call g with r.sub, so the roles of users have no effect"
	}
	return ""
}
