package model

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// RolePatterns returns the function by which the names in role links of a kind are
// patterns, or "".
func (s *Schema) RolePatterns(kind string) string { return s.File.Settings.RolePatterns[kind] }

// TenantPatterns returns the function by which the tenants of role links of a kind
// are patterns, or "": because of an option, or of a text in the matcher that has
// this effect in Casbin.
func (s *Schema) TenantPatterns(kind string) string {
	if s.Roles[kind] == 3 && (s.File.Settings.TenantPatterns[kind] || s.impliesTenantPatterns()) {
		return "keyMatch"
	}
	return ""
}

// impliesTenantPatterns reports whether the matcher contains the text that Casbin
// looks for.
func (s *Schema) impliesTenantPatterns() bool {
	request, policy := s.File.Settings.Casbin.TenantPatterns(s.File.Casbin)
	return request != "" && strings.Contains(s.File.definition("m").Value, "keyMatch("+request+", "+policy+")")
}

// readTenantCall checks a call that compares tenants with keyMatch, which Casbin
// recognizes by its text.
func (s *Schema) readTenantCall(c *Node) {
	request, policy := s.File.Settings.Casbin.TenantPatterns(s.File.Casbin)
	if c.Text != "keyMatch" || request == "" || c.Arg(0).Name() != request || c.Arg(1).Name() != policy || s.impliesTenantPatterns() {
		return
	}
	for kind, width := range s.Roles {
		if width == 3 && !s.File.Settings.TenantPatterns[kind] {
			s.refuseMatcher("write keyMatch("+sourceForm(request)+", "+sourceForm(policy)+") with one blank, or use WithTenantPatterns (--tenant-patterns)",
				"Casbin treats the tenants of role links as patterns only if the matcher contains exactly that text")
			return
		}
	}
}

// checkLinkPatterns refuses options for patterns that the model does not support.
func (s *Schema) checkLinkPatterns(c *Settings) {
	for _, kind := range slices.Sorted(maps.Keys(c.TenantPatterns)) {
		if s.Roles[kind] != 3 {
			s.File.Report(s.position(kind), CodeModelRoles, `write "`+kind+` = _, _, _"`,
				"WithTenantPatterns (tenant_patterns) is for the role links %s, and the model has no such links with tenants", kind)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.RolePatterns)) {
		switch {
		case s.Roles[kind] == 0:
			s.File.Report(s.File.At["m"], CodeModelRoles, DidYouMean(kind, slices.Sorted(maps.Keys(s.Roles)), "define it, or remove the option"),
				"WithRolePatterns (role_patterns) is for the role links %s, which the model does not define", kind)
			continue
		case s.CasbinOnly != "":
			s.File.Report(s.File.At["m"], CodeModelRoles, "remove the option", "patterns in role links are not supported together with %s", s.CasbinOnly)
			continue
		}
		for _, call := range s.RoleCalls() {
			if call.Text == kind && !s.supportsPatterns(call) {
				s.File.Report(s.File.At["m"], CodeModelRoles, "call it with r.sub or r.obj first, and a field of the policy or a text second",
					"with WithRolePatterns (role_patterns), %s can only test a role of the subject or of the object", s.Source(call.Node))
			}
		}
	}
}

// position returns where a kind of role links is defined, or else the place of the
// matcher.
func (s *Schema) position(kind string) Position {
	if at, ok := s.File.At[kind]; ok {
		return at
	}
	return s.File.At["m"]
}

// supportsPatterns reports whether the first argument of a call is a text of the
// request, and the second one of the policy, which may be a pattern.
func (s *Schema) supportsPatterns(c RoleCall) bool {
	of := c.Field == "r_sub" || c.Field == "r_obj" && c.Text != "g"
	return of && !c.Reversed && (c.Column >= 0 || c.Arg(1).Kind == NodeText)
}

// NamePattern returns the function by which a field of a line is a pattern because
// of role links, or "": field 0 or 1 of links, and the columns of p lines that name
// a role.
func (s *Schema) NamePattern(kind string, field int) string {
	if s.Roles[kind] != 0 {
		if field < 2 {
			return s.RolePatterns(kind)
		}
		return s.TenantPatterns(kind)
	}
	for _, c := range s.RoleCalls() {
		if c.Column == field && s.RolePatterns(c.Text) != "" {
			return s.RolePatterns(c.Text)
		}
	}
	return ""
}

// RolePatternError says why a function cannot be used for names; "" if it can.
func RolePatternError(function string) string {
	switch {
	case slices.Contains(pattern.NameFunctions, function):
		return ""
	case function == "ipMatch":
		return "ipMatch fails at every name that is not an address"
	case function == "keyMatch5":
		return "keyMatch5 cuts off what follows a ? in a name"
	}
	return "use one of " + strings.Join(pattern.NameFunctions, ", ")
}
