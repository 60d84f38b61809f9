// Package model parses Casbin models: it checks their definitions, parses the
// matcher into a tree with types, and reports mistakes as findings.
package model

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// RequestField is the meaning of a field of the request definition.
type RequestField int

const (
	FieldSubject RequestField = iota
	FieldTenant
	FieldObject
	FieldAction
	FieldAttribute // the first attribute; further ones have higher numbers
)

// RequestFields are the field names that are always filled.
var RequestFields = map[string]RequestField{
	"sub": FieldSubject,
	"dom": FieldTenant, "domain": FieldTenant, "tenant": FieldTenant,
	"obj": FieldObject,
	"act": FieldAction,
}

// Schema is the checked meaning of a model for requests and rules. It is immutable.
type Schema struct {
	File *File
	// Defined reports that the definitions are valid, so that policy lines can be parsed
	// with them.
	Defined bool
	Request []RequestField
	// Attributes are the names of the request fields that options provide.
	Attributes []string
	Tenants    bool
	Effect     string
	// Columns are the names of the fields of a p line.
	Columns []string
	// Eft and Priority are columns, or -1.
	Eft, Priority int
	// Roles is the number of fields of each kind of g line, without those that say when a
	// link counts, whose number is in Limits.
	Roles  map[string]int
	Limits map[string]int
	// Matcher is the matcher in Casbin's form, and Tree is nil if it cannot be
	// parsed.
	Matcher string
	Tree    *Node
	tokens  []token
	// tokenTypes are the types of the tokens that stand for typed values, by index;
	// TypedColumns are the columns that contain such values.
	tokenTypes   map[int]AttributeType
	TypedColumns []typedColumn
	// CasbinOnly names the part of the model that only Casbin can evaluate, with
	// WithCasbinSemantics; "" if there is none.
	CasbinOnly string
	// Expr is the matcher as far as an index supports it; nil if it is not a logical
	// expression.
	Expr *Expr
	// Patterns are the columns that hold patterns.
	Patterns []PatternColumn
	// Subjects and Actions are the columns compared with the request's.
	Subjects, Actions []int
	// ActionPattern reports that an action column holds a pattern.
	ActionPattern bool
	// MatcherRoles are the roles that the matcher itself names, as in
	// g(r.sub, "admin"), each once.
	MatcherRoles []string
}

// ReadSchema checks a model; name is its file name in findings. The schema may be
// used only if no finding of the file is an error.
func ReadSchema(name, text string, c *Settings) *Schema {
	f := ReadFile(name, text, c)
	s := &Schema{File: f, Eft: -1, Priority: -1, Roles: map[string]int{}, Limits: map[string]int{}}
	if f.Casbin == nil {
		return s
	}
	s.ReadRequest()
	s.readColumns()
	s.readRoles()
	s.Defined = !f.Failed()
	s.readEffect()
	if s.Defined {
		// Without valid definitions, most of a matcher would be reported.
		s.readMatcher()
	}
	return s
}

func (s *Schema) ReadRequest() {
	at := s.File.At["r"]
	var seen [FieldAttribute]bool
	for _, name := range s.Names("r") {
		field, ok := RequestFields[name]
		switch {
		case !ok && !s.File.Settings.provides(name):
			s.File.Report(at, CodeModelRequest, DidYouMean(name, slices.Sorted(maps.Keys(RequestFields)),
				"request fields are sub, obj, act and dom (or tenant, domain), in any order, and those that WithClaimAttribute (attributes), WithObjectAttribute (object_attributes) or WithAttribute fills"),
				"request field %q cannot be filled", name)
		case !ok && slices.Contains(s.Attributes, name):
			s.File.Report(at, CodeModelRequest, "name each once", "request field %q is defined twice", name)
		case !ok:
			s.Request = append(s.Request, FieldAttribute+RequestField(len(s.Attributes)))
			s.Attributes = append(s.Attributes, name)
		case seen[field] && s.File.Settings.AsCasbin && s.File.Settings.provides(name):
			// Casbin finds each by its name.
			s.Request = append(s.Request, FieldAttribute+RequestField(len(s.Attributes)))
			s.Attributes = append(s.Attributes, name)
		case seen[field]:
			s.File.Report(at, CodeModelRequest, "name each once", "request field %q has the same meaning as another one", name)
		default:
			seen[field] = true
			s.Request = append(s.Request, field)
		}
	}
	s.checkFilled(at)
	for name, field := range map[string]RequestField{"sub": FieldSubject, "obj": FieldObject, "act": FieldAction} {
		if !seen[field] {
			s.File.Report(at, CodeModelIncomplete, "define sub, obj and act, so that no rule can overlook one",
				"the request definition has no %s", name)
		}
	}
	s.Tenants = seen[FieldTenant]
}

// checkFilled reports options for fields that the request does not have. Most are
// misspelt, and would have no effect.
func (s *Schema) checkFilled(at Position) {
	c := s.File.Settings
	if c.AnyAttribute {
		return
	}
	report := func(option, field string) {
		s.File.Report(at, CodeModelRequest, DidYouMean(field, s.Attributes, "its fields are "+strings.Join(s.Names("r"), ", ")),
			"the request has no field %q, which %s is for", field, option)
	}
	for _, field := range slices.Sorted(maps.Keys(c.Filled)) {
		if !slices.Contains(s.Attributes, field) {
			report("WithAttribute or WithClaimAttribute", field)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(c.AttributeTypes)) {
		if !slices.Contains(s.Attributes, field) && !c.Filled[field] {
			report("WithAttributeType", field)
		}
	}
}

func (s *Schema) readColumns() {
	s.Columns = s.Names("p")
	for i, name := range s.Columns {
		switch {
		case !IsWord(name):
			s.File.Report(s.File.At["p"], CodeModelDefinition, "separate plain names by commas", "policy field %q is not a name", name)
		case slices.Contains(s.Columns[:i], name):
			s.File.Report(s.File.At["p"], CodeModelDefinition, "name each once", "policy field %q is defined twice", name)
		}
	}
	s.Eft = slices.Index(s.Columns, "eft")
	s.Priority = slices.Index(s.Columns, PriorityColumn)
}

// Names returns the field names of definition r or p.
func (s *Schema) Names(key string) []string {
	names := make([]string, 0, 5)
	for _, t := range s.File.definition(key).Tokens {
		names = append(names, strings.TrimPrefix(t, key+"_"))
	}
	return names
}

func (s *Schema) readRoles() {
	for key, at := range s.File.At {
		if key[0] != 'g' {
			continue
		}
		def, ok := s.File.Casbin.Definition(key)
		if !ok {
			s.File.Report(at, CodeModelRoles, "number role definitions g, g2, g3 without a gap", "Casbin does not see role definition %q", key)
			continue
		}
		form := roleForm.FindStringSubmatch(strings.Join(strings.Fields(def.Value), ""))
		if form == nil {
			s.File.Report(at, CodeModelRoles, `write "_, _", or "_, _, _" with tenants; append ", (_, _)" if links have a start and an end`,
				"role definition %q has an unsupported form", key)
			continue
		}
		limits := strings.Count(form[2], "_")
		if limits != 0 && limits != 2 && s.File.Settings.LinkConditions[key] == nil {
			s.File.Report(at, CodeModelRoles, `use WithLinkCondition, which the command does not have; or write "(_, _)" for links with a start and an end`,
				"role links %s have a condition that only the application knows", key)
			continue
		}
		s.Roles[key] = strings.Count(form[1], "_")
		if limits > 0 {
			s.Limits[key] = limits
		}
	}
}

// roleForm matches a role definition without spaces: its fields, and those that say
// when a link counts.
var roleForm = regexp.MustCompile(`^(_,_(?:,_)?)((?:,\(_(?:,_)*\))?)$`)

func (s *Schema) readEffect() {
	s.Effect = s.File.definition("e").Value
	at := s.File.At["e"]
	switch s.Effect {
	case AllowOverrideEffect, AllowAndDenyEffect, PriorityEffect:
	case SubjectPriorityEffect:
		if s.Roles["g"] == 0 {
			s.File.Report(at, CodeModelEffect, "define g", "subject priority needs role links")
		}
	case DenyOverrideEffect:
		s.File.Report(at, CodeModelOpen, "use some(where (p.eft == allow)) && !some(where (p.eft == deny))",
			"whatever no rule denies is allowed: with an empty policy, everything")
	default:
		s.File.Report(at, CodeModelEffect, s.effectHint(), "Casbin does not know the policy effect %q", sourceForm(s.Effect))
	}
}

// effectHint lists the possible effects, the most likely one first.
func (s *Schema) effectHint() string {
	known := []string{AllowOverrideEffect, AllowAndDenyEffect, PriorityEffect, SubjectPriorityEffect}
	if s.File.Settings.AsCasbin {
		known = append(known, DenyOverrideEffect)
	}
	var texts []string
	for _, effect := range known {
		texts = append(texts, sourceForm(effect))
	}
	return DidYouMean(sourceForm(s.Effect), texts, "Casbin compares byte by byte, spaces included, with: "+strings.Join(texts, "; "))
}

// sourceForm returns a definition as written in model files.
func sourceForm(text string) string { return fieldName.ReplaceAllString(text, "$1.") }

// fieldName matches the beginning of a field's name as Casbin changes it.
var fieldName = regexp.MustCompile(`\b([rp])_`)

// RequestField returns the request field that a matcher names as "r_x".
func (s *Schema) RequestField(name string) (RequestField, bool) {
	name, ok := strings.CutPrefix(name, "r_")
	if !ok {
		return 0, false
	}
	if i := slices.Index(s.Attributes, name); i >= 0 {
		return FieldAttribute + RequestField(i), true
	}
	field, ok := RequestFields[name]
	return field, ok
}

// TypeOf returns the type of the values of a request field.
func (s *Schema) TypeOf(field RequestField) AttributeType {
	if field < FieldAttribute {
		return Text
	}
	return s.File.Settings.AttributeTypes[s.Attributes[field-FieldAttribute]]
}

// Column returns the index of the p field that a matcher names as "p_x", or -1.
func (s *Schema) Column(name string) int {
	if field, ok := strings.CutPrefix(name, "p_"); ok {
		return slices.Index(s.Columns, field)
	}
	return -1
}

// LinkWidth returns the number of fields of a line of a kind of role links, without
// the kind; 0 for other kinds.
func (s *Schema) LinkWidth(kind string) int {
	return s.Roles[kind] + s.Limits[kind]
}

// Timed reports whether the role links of a kind have a start and an end, and no
// condition of the application.
func (s *Schema) Timed(kind string) bool {
	return s.Limits[kind] > 0 && s.File.Settings.LinkConditions[kind] == nil
}

// checkLimits refuses fields that say when role links count if they would be
// ignored, or if Casbin's answers would be random, and conditions for links that do
// not exist.
func (s *Schema) checkLimits(c *Settings) {
	for _, kind := range slices.Sorted(maps.Keys(s.Limits)) {
		at, hint, what := s.File.At[kind], `write the role definition without "(_, _)"`, "a start and an end"
		if !s.Timed(kind) {
			hint, what = "write the role definition without the part in parentheses", "a condition"
		}
		switch {
		case s.RolePatterns(kind) != "" || s.TenantPatterns(kind) != "":
			s.File.Report(at, CodeModelRoles, hint, "role links %s with %s cannot have patterns", kind, what)
		case s.CasbinOnly != "":
			s.File.Report(at, CodeModelRoles, hint, "the condition of role links %s is ignored together with %s", kind, s.CasbinOnly)
		case s.Effect == SubjectPriorityEffect:
			s.File.Report(at, CodeModelRoles, hint, "subject priority sorts rules by role links, whether these count or not")
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(c.LinkConditions)) {
		if s.Limits[kind] == 0 {
			s.File.Report(s.position(kind), CodeModelRoles, `write "`+kind+` = _, _, (_)", with a field for each argument in the parentheses`,
				"WithLinkCondition is for the role links %s, whose lines have no fields for a condition", kind)
		}
	}
}

// Kinds returns the kinds of policy lines, sorted.
func (s *Schema) Kinds() []string {
	return append(slices.Sorted(maps.Keys(s.Roles)), "p")
}

// IsWord reports whether name consists of letters, digits and underscores, and does
// not begin with a digit.
func IsWord(name string) bool {
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !pattern.IsNameByte(c) || c == '.' {
			return false
		}
	}
	return true
}

// addsRoles reports whether requests may have roles other than those of role links.
func (c *Settings) addsRoles() bool { return !c.NoTokenRoles || c.DefaultRole != "" }

// tokenRolesHint says how to avoid such roles.
func (c *Settings) tokenRolesHint() string {
	if c.DefaultRole != "" {
		return "use WithoutTokenRoles (--without-token-roles, token_roles: false), and remove WithDefaultRole (--default-role)"
	}
	return "use WithoutTokenRoles (--without-token-roles, token_roles: false)"
}

// CheckOptions refuses a model that does not support the options.
func (s *Schema) CheckOptions(c *Settings) {
	if s.Defined && c.DefaultRole != "" && !s.LinksUsers() {
		s.File.Report(s.File.At["m"], CodeModelTokenRoles, "call g with r.sub in the matcher, or remove WithDefaultRole (--default-role)",
			"there is a default role, but %s", s.WhyNoRoles())
	}
	if s.Defined {
		s.checkLinkPatterns(c)
		s.checkLimits(c)
	}
	if s.Effect == SubjectPriorityEffect && c.addsRoles() {
		s.File.Report(s.File.At["e"], CodeModelTokenRoles, c.tokenRolesHint()+", or use another effect",
			"subject priority sorts rules by role links when they are loaded, which is too early for the roles of a token")
	}
	if s.CasbinOnly != "" && c.AsCasbin && len(s.Roles) > 0 && c.addsRoles() {
		s.File.Report(s.File.At["m"], CodeModelTokenRoles, c.tokenRolesHint(),
			"roles of a token cannot be added to role links that are left to Casbin, as %s needs", s.CasbinOnly)
	}
}
