package casbinrules

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/constant"
)

// requestField is what a field of the request definition is filled with.
type requestField int

const (
	fieldSubject requestField = iota
	fieldTenant
	fieldObject
	fieldAction
	fieldAttribute // the first of the attributes, which are numbered on from it
)

// requestFields are the field names that are always filled.
var requestFields = map[string]requestField{
	"sub": fieldSubject,
	"dom": fieldTenant, "domain": fieldTenant, "tenant": fieldTenant,
	"obj": fieldObject,
	"act": fieldAction,
}

// schema is what a model says about requests and rules, checked. It is
// immutable.
type schema struct {
	file *modelFile
	// defined says that the definitions are good, so that policy lines can be
	// read by them.
	defined bool
	request []requestField
	// attributes are the names of the request fields that options fill.
	attributes []string
	tenants    bool
	effect     string
	// columns are the names of the fields of a p line.
	columns []string
	// eft and priority are columns, or -1.
	eft, priority int
	// roles is the number of fields of each kind of g line.
	roles map[string]int
	// matcher is the matcher as Casbin has it, matcherTokens its tokens.
	matcher       string
	matcherTokens []token
	// tokenTypes are the tokens that stand for values of a type, by number;
	// typedColumns are the columns that hold such values.
	tokenTypes   map[int]AttributeType
	typedColumns []typedColumn
	// casbinOnly says what of the model nothing but Casbin can follow, with
	// WithCasbinSemantics; "" for nothing.
	casbinOnly string
	// expr is the matcher as far as an index understands it; nil when it is no
	// expression of truth values.
	expr *expr
	// patterns are the columns that hold patterns.
	patterns []patternColumn
	// subjects and actions are the columns compared with the request's.
	subjects, actions []int
	// actionPattern says that an action column holds a pattern.
	actionPattern bool
	// matcherRoles are the roles that the matcher itself names, as in
	// g(r.sub, "admin"), each once.
	matcherRoles []string
}

// readSchema checks a model; name stands for its file in findings. The schema is good for use only when no finding of
// the file is an error.
func readSchema(name, text string, c *settings) *schema {
	f := readModel(name, text, c)
	s := &schema{file: f, eft: -1, priority: -1, roles: map[string]int{}}
	if f.casbin == nil {
		return s
	}
	s.readRequest()
	s.readColumns()
	s.readRoles()
	s.defined = !f.failed()
	s.readEffect()
	if s.defined {
		// Without good definitions most of a matcher would look wrong.
		s.readMatcher()
	}
	return s
}

func (s *schema) readRequest() {
	at := s.file.at["r"]
	var seen [fieldAttribute]bool
	for _, name := range s.names("r") {
		field, ok := requestFields[name]
		switch {
		case !ok && !s.file.config.fills(name):
			s.file.report(at, codeModelRequest, didYouMean(name, slices.Sorted(maps.Keys(requestFields)),
				"request fields are sub, obj, act and dom (or tenant, domain), in any order, and those that WithAttribute fills"),
				"request field %q cannot be filled", name)
		case !ok && slices.Contains(s.attributes, name):
			s.file.report(at, codeModelRequest, "name each once", "request field %q comes twice", name)
		case !ok:
			s.request = append(s.request, fieldAttribute+requestField(len(s.attributes)))
			s.attributes = append(s.attributes, name)
		case seen[field] && s.file.config.asCasbin && s.file.config.fills(name):
			// Casbin looks at each by its name.
			s.request = append(s.request, fieldAttribute+requestField(len(s.attributes)))
			s.attributes = append(s.attributes, name)
		case seen[field]:
			s.file.report(at, codeModelRequest, "name each once", "request field %q says what another one says", name)
		default:
			seen[field] = true
			s.request = append(s.request, field)
		}
	}
	s.checkFilled(at)
	for name, field := range map[string]requestField{"sub": fieldSubject, "obj": fieldObject, "act": fieldAction} {
		if !seen[field] {
			s.file.report(at, codeModelIncomplete, "a request has sub, obj and act, so that no rule can overlook one",
				"the request definition has no %s", name)
		}
	}
	s.tenants = seen[fieldTenant]
}

// checkFilled reports the options for a field that the request does not have:
// most are misspelt, and what they say would hold for nothing.
func (s *schema) checkFilled(at position) {
	c := s.file.config
	if c.anyAttribute {
		return
	}
	report := func(option, field string) {
		s.file.report(at, codeModelRequest, didYouMean(field, s.attributes, "its fields are "+strings.Join(s.names("r"), ", ")),
			"the request has no field %q, which an option %s is for", field, option)
	}
	for _, field := range slices.Sorted(maps.Keys(c.filled)) {
		if !slices.Contains(s.attributes, field) {
			report("Attribute", field)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(c.attributeTypes)) {
		if !slices.Contains(s.attributes, field) && !c.filled[field] {
			report("WithAttributeType", field)
		}
	}
}

func (s *schema) readColumns() {
	s.columns = s.names("p")
	for i, name := range s.columns {
		switch {
		case !isWord(name):
			s.file.report(s.file.at["p"], codeModelDefinition, "separate plain names by commas", "policy field %q is not a name", name)
		case slices.Contains(s.columns[:i], name):
			s.file.report(s.file.at["p"], codeModelDefinition, "name each once", "policy field %q comes twice", name)
		}
	}
	s.eft = slices.Index(s.columns, "eft")
	s.priority = slices.Index(s.columns, constant.PriorityIndex)
}

// names are the field names of definition r or p.
func (s *schema) names(key string) []string {
	names := make([]string, 0, 5)
	for _, t := range s.file.casbin[key][key].Tokens {
		names = append(names, strings.TrimPrefix(t, key+"_"))
	}
	return names
}

func (s *schema) readRoles() {
	for key, at := range s.file.at {
		if key[0] != 'g' {
			continue
		}
		def := s.file.casbin["g"][key]
		if def == nil {
			s.file.report(at, codeModelRoles, "number role definitions g, g2, g3 without a gap", "Casbin does not see role definition %q", key)
			continue
		}
		switch strings.Join(strings.Fields(def.Value), "") {
		case "_,_":
			s.roles[key] = 2
		case "_,_,_":
			s.roles[key] = 3
		default:
			s.file.report(at, codeModelRoles, `write "_, _", or "_, _, _" with tenants`, "role definition %q is of no supported form", key)
		}
	}
}

func (s *schema) readEffect() {
	s.effect = s.file.casbin["e"]["e"].Value
	at := s.file.at["e"]
	switch s.effect {
	case constant.AllowOverrideEffect, constant.AllowAndDenyEffect, constant.PriorityEffect:
	case constant.SubjectPriorityEffect:
		if s.roles["g"] == 0 {
			s.file.report(at, codeModelEffect, "define g", "subject priority needs role links")
		}
	case constant.DenyOverrideEffect:
		s.file.report(at, codeModelOpen, "use some(where (p.eft == allow)) && !some(where (p.eft == deny))",
			"whatever no rule denies is allowed, by an empty policy everything")
	default:
		s.file.report(at, codeModelEffect, s.effectHint(), "Casbin does not know the policy effect %q", spelt(s.effect))
	}
}

// effectHint names the effects that there are, the likely one first.
func (s *schema) effectHint() string {
	known := []string{constant.AllowOverrideEffect, constant.AllowAndDenyEffect, constant.PriorityEffect, constant.SubjectPriorityEffect}
	if s.file.config.asCasbin {
		known = append(known, constant.DenyOverrideEffect)
	}
	var texts []string
	for _, effect := range known {
		texts = append(texts, spelt(effect))
	}
	return didYouMean(spelt(s.effect), texts, "Casbin compares letter by letter, blanks included, with: "+strings.Join(texts, "; "))
}

// spelt is a definition as model files spell it.
func spelt(text string) string { return fieldName.ReplaceAllString(text, "$1.") }

// fieldName is the beginning of a field's name as Casbin changes it.
var fieldName = regexp.MustCompile(`\b([rp])_`)

// requestField is the request field a matcher names as "r_x".
func (s *schema) requestField(name string) (requestField, bool) {
	name, ok := strings.CutPrefix(name, "r_")
	if !ok {
		return 0, false
	}
	if i := slices.Index(s.attributes, name); i >= 0 {
		return fieldAttribute + requestField(i), true
	}
	field, ok := requestFields[name]
	return field, ok
}

// typeOf is what the values of a request field are.
func (s *schema) typeOf(field requestField) AttributeType {
	if field < fieldAttribute {
		return Text
	}
	return s.file.config.attributeTypes[s.attributes[field-fieldAttribute]]
}

// column is the index of the p field a matcher names as "p_x", or -1.
func (s *schema) column(name string) int {
	if field, ok := strings.CutPrefix(name, "p_"); ok {
		return slices.Index(s.columns, field)
	}
	return -1
}

// kinds are the kinds of policy lines there are, sorted.
func (s *schema) kinds() []string {
	return append(slices.Sorted(maps.Keys(s.roles)), "p")
}

// isWord reports whether name is letters, digits and underscores, not
// beginning with a digit.
func isWord(name string) bool {
	if name == "" || '0' <= name[0] && name[0] <= '9' {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isNameByte(c) || c == '.' {
			return false
		}
	}
	return true
}

// checkOptions refuses a model that cannot honour the options.
func (s *schema) checkOptions(c *settings) {
	if s.effect == constant.SubjectPriorityEffect && !c.noTokenRoles {
		s.file.report(s.file.at["e"], codeModelTokenRoles, "say WithoutTokenRoles, or use another effect",
			"subject priority sorts rules by role links when they are loaded, which the roles of a token come too late for")
	}
	if s.casbinOnly != "" && c.asCasbin && len(s.roles) > 0 && !c.noTokenRoles {
		s.file.report(s.file.at["m"], codeModelTokenRoles, "say WithoutTokenRoles (--without-token-roles)",
			"roles of a token cannot be added to role links that are left to Casbin, as %s needs", s.casbinOnly)
	}
}
