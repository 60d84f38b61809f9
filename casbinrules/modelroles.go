package casbinrules

import (
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/constant"
)

// roleCall is a call of a role definition in the matcher, such as
// g(r.sub, p.sub).
type roleCall struct {
	call
	// field is the request field that is one end of the link, such as "r_sub",
	// or "". It is the end that has the role unless reversed is set.
	field    string
	reversed bool
	// column is the policy field at the other end, or -1.
	column int
}

// roleCalls are the calls of role definitions, in the order of the matcher.
func (s *schema) roleCalls() []roleCall {
	var found []roleCall
	for _, c := range calls(s.matcherTokens) {
		if s.roles[c.name] == 0 {
			continue
		}
		made := roleCall{call: c, column: -1}
		for i, other := range []int{1, 0} {
			if name := c.arg(i).text; strings.HasPrefix(name, "r_") && made.field == "" {
				made.field, made.reversed, made.column = name, i == 1, s.column(c.arg(other).text)
			}
		}
		found = append(found, made)
	}
	return found
}

// linksUsers reports whether g says which roles the subject of a request has.
// In other models it may say so of actions, or nothing.
func (s *schema) linksUsers() bool {
	for _, c := range s.roleCalls() {
		if c.name == "g" && c.field == "r_sub" && !c.reversed {
			return true
		}
	}
	return false
}

// readMatcherRoles notes the roles that the matcher names.
func (s *schema) readMatcherRoles() {
	for _, c := range s.roleCalls() {
		if role := c.arg(1); c.name == "g" && c.field == "r_sub" && !c.reversed && role.kind == tokenString && !slices.Contains(s.matcherRoles, role.text) {
			s.matcherRoles = append(s.matcherRoles, role.text)
		}
	}
}

// namesRoles reports whether g lines say who has which role, to the policy or,
// where the matcher never calls g, to rules of the program alone.
func (s *schema) namesRoles() bool { return s.linksUsers() || !s.calls("g") }

// linkedField is the request field, without its "r_", that the links of a kind
// are about, or "".
func (s *schema) linkedField(kind string) string {
	if kind == "g" && s.effect == constant.SubjectPriorityEffect {
		return "sub"
	}
	for _, c := range s.roleCalls() {
		if field, ok := strings.CutPrefix(c.field, "r_"); ok && c.name == kind {
			return field
		}
	}
	return ""
}

// usesLinks reports whether a decision looks at the role links of a kind.
func (s *schema) usesLinks(kind string) bool {
	return s.calls(kind) || kind == "g" && s.effect == constant.SubjectPriorityEffect
}

// whyNoRoles says why the roles of users decide nothing, or is "".
func (s *schema) whyNoRoles() string {
	switch {
	case s.linksUsers():
		return ""
	case s.roles["g"] == 0:
		return "the model has no role definition g, so that roles decide nothing"
	case !s.usesLinks("g"):
		return "the matcher never calls g, so that roles decide nothing"
	case s.calls("g"):
		return "the matcher does not call g with r.sub, so that the roles of users decide nothing"
	}
	return ""
}
