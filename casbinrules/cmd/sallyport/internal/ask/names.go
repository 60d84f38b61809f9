package ask

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
)

// Names are the names that a policy uses. They tell how a question is meant and whether it
// is misspelt.
type Names struct {
	rules   []casbinrules.Rule
	matcher casbinrules.Matcher
	alone   string   // as in [Policy]
	known   []string // subjects without the role prefix
	tenants []casbinrules.Pattern
	// attributes are the request fields that hold attributes.
	attributes []string
	hasTenants bool
	// namesMethods reports that rules distinguish or cover request methods.
	namesMethods bool
	// values are the values that requests are compared with, by field.
	values map[string][]casbinrules.Pattern
}

// NewNames collects the names that the current policy uses.
func NewNames(a *Policy) *Names {
	n := &Names{alone: a.Alone, rules: a.Rules(), matcher: a.Matcher(), known: a.KnownRoles(), values: map[string][]casbinrules.Pattern{}}
	for _, r := range n.rules {
		n.tenants = append(n.tenants, r.Tenants...)
	}
	n.attributes = Attributes(a.RequestFields())
	for _, field := range a.RequestFields() {
		n.hasTenants = n.hasTenants || IsTenant(field)
		n.values[field] = Values(n.rules, n.matcher, field)
	}
	n.namesMethods = len(n.values["act"]) == 0 || slices.ContainsFunc(n.values["act"], func(p casbinrules.Pattern) bool {
		return p.Text == "*" || slices.ContainsFunc(usualMethods, p.Matches)
	})
	return n
}

// Rules returns the rules from which the names were collected.
func (n *Names) Rules() []casbinrules.Rule { return n.rules }

// IsTenant reports whether a request field with that name is the tenant.
func IsTenant(field string) bool { return field == "dom" || field == "domain" || field == "tenant" }

// Attributes returns the request fields that hold attributes.
func Attributes(fields []string) []string {
	var attributes []string
	for _, field := range fields {
		if !IsTenant(field) && !slices.Contains([]string{"sub", "obj", "act"}, field) {
			attributes = append(attributes, field)
		}
	}
	return attributes
}

// NoAttribute returns a message that a model does not have the named attribute, with those
// it has.
func NoAttribute(name string, attributes []string) string {
	has := "it asks for none"
	if len(attributes) > 0 {
		has = "it asks for " + strings.Join(attributes, ", ")
	}
	return fmt.Sprintf("the model asks for no attribute %q%s (%s)", name, Suggestion(name, attributes), has)
}

// CheckClaims returns an error for a value of an attribute that a model does not have.
func CheckClaims(claims map[string][]string, attributes []string) error {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if !slices.Contains(attributes, name) {
			return errors.New(NoAttribute(name, attributes))
		}
	}
	return nil
}

// Values returns the distinct values that the rules and the matcher compare a request field
// with: patterns, constants, and names in role links if the field is one. A name that is
// also a pattern is returned as both.
func Values(rules []casbinrules.Rule, m casbinrules.Matcher, field string) []casbinrules.Pattern {
	var values []casbinrules.Pattern
	seen := map[casbinrules.Pattern]bool{}
	for _, c := range m.Comparisons {
		if c.Field != field {
			continue
		}
		add := func(text string) {
			for _, function := range []string{c.Function, c.Patterns} {
				if p := (casbinrules.Pattern{Text: text, Function: function}); function != "" && !seen[p] {
					seen[p] = true
					values = append(values, p)
				}
			}
		}
		if c.Column < 0 {
			add(c.Text)
		}
		for _, r := range rules {
			switch {
			case r.Kind == "p" && c.Column >= 0 && c.Column < len(r.Fields):
				add(r.Fields[c.Column])
			case r.Kind == c.Function:
				add(r.Fields[0])
				add(r.Fields[1])
			}
		}
	}
	return values
}

// usualMethods are methods that any test may use.
var usualMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// IsUsual reports whether "*" in a policy covers a method.
func IsUsual(method string) bool { return slices.Contains(usualMethods, method) }

// isMethod reports whether a word is clearly a request method.
func isMethod(word string) bool {
	return IsUsual(word) || word == http.MethodConnect || word == http.MethodTrace
}

// Orient swaps object and action if they are clearly in the wrong order, because the object
// is a request method or the action is a path. The hint then says so. If that is not clear,
// but the policy knows more of the two in the other order, it returns an error.
func (n *Names) Orient(q Question) (turned Question, hint string, err error) {
	turned = q
	turned.Object, turned.Action = q.Action, q.Object
	isPath := func(s string) bool { return strings.HasPrefix(s, "/") }
	first, second := q.Object, q.Action
	if isPath(first) && !isPath(second) || isMethod(second) && !isMethod(first) {
		return q, "", nil
	}
	asWritten, other := n.score(q), n.score(turned) // computing scores is slow
	switch {
	case asWritten == 2 && other < 2:
		return q, "", nil
	case isPath(second) && !isPath(first), isMethod(first) && !isMethod(second):
		return turned, fmt.Sprintf("read as %s %s: the object comes before the action", second, first), nil
	case other > asWritten:
		return q, "", fmt.Errorf("object and action are the other way round: the object comes first, as in policy lines; write %s %s", second, first)
	}
	return q, "", nil
}

func (n *Names) score(q Question) int {
	score := 0
	if n.knows("obj", q.Object) {
		score++
	}
	if n.knows("act", q.Action) {
		score++
	}
	return score
}

// KnowsSubject reports whether the policy is about the subject.
func (n *Names) KnowsSubject(name string) bool {
	return slices.Contains(n.known, name) || n.knows("sub", name)
}

// knows reports whether the policy mentions a value of a request field specifically, as
// opposed to covering every value.
func (n *Names) knows(field, value string) bool { return mentions(n.values[field], value) }

// mentions reports whether one of patterns matches value but not a value that no policy
// mentions.
func mentions(patterns []casbinrules.Pattern, value string) bool {
	return slices.ContainsFunc(patterns, func(p casbinrules.Pattern) bool {
		return p.Text == value || p.Matches(value) && !p.Matches(unmentionedValue(value))
	})
}

// matchesAny reports whether one of patterns matches a value.
func matchesAny(patterns []casbinrules.Pattern, value string) bool {
	return slices.ContainsFunc(patterns, func(p casbinrules.Pattern) bool { return p.Matches(value) })
}

// unmentionedValue returns a value of the same form that no policy mentions.
func unmentionedValue(value string) string {
	segments := strings.Split(value, "/")
	for i, s := range segments {
		if s != "" {
			segments[i] = "\U0001f6aa"
		}
	}
	return strings.Join(segments, "/")
}

// Problem is a name that the policy does not know. Slip reports that it is probably
// misspelt.
type Problem struct {
	Slip bool
	Text string
}

// Misfits returns the roles, the tenant and the attributes of a question that do not fit
// the model and the policy, so that the answer would not mean what was asked. noTenant
// reports that the tenant is left out on purpose.
func (n *Names) Misfits(q Question, noTenant bool) []string {
	var found []string
	add := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if q.Subject == Anonymous {
		if len(q.Roles) > 0 || q.Tenant != "" || len(q.Attributes) > 0 {
			add("a request without credentials has no roles, tenant or attributes, so those given have no effect")
		}
		return found
	}
	roles := q.Roles
	if n.alone != "" {
		roles = append(slices.Clone(roles), n.alone)
	}
	linked := slices.ContainsFunc(n.matcher.Comparisons, func(c casbinrules.Comparison) bool { return c.Field == "sub" && c.Function == "g" })
	if len(roles) > 0 && !linked {
		add("the matcher does not use the roles of the subject (g), so those given have no effect")
	}
	for _, role := range roles {
		if !slices.Contains(n.known, role) {
			add("the policy knows no role %q%s", role, Suggestion(role, n.known))
		}
	}
	switch {
	case !n.hasTenants && (q.Tenant != "" || noTenant):
		add("the model has no tenants")
	case n.hasTenants && q.Tenant == "" && !noTenant:
		add("the model has tenants and none is given, so everything is refused")
	}
	for _, name := range q.AttributeNames() {
		if !slices.Contains(n.attributes, name) {
			add("%s", NoAttribute(name, n.attributes))
		}
	}
	for _, name := range n.attributes {
		if _, ok := q.Attributes[name]; !ok {
			add("the model asks for the attribute %s and none is given, so everything is refused", name)
		}
	}
	return found
}

// Unknown returns the names in a question that the policy does not know: any other name
// would get the same answer. declared reports that the subject is unknown on purpose.
func (n *Names) Unknown(q Question, declared bool) []Problem {
	var found []Problem
	add := func(slip, format string, args ...any) {
		found = append(found, Problem{slip != "", fmt.Sprintf(format, args...) + slip})
	}
	if q.Subject != Anonymous && !declared && len(q.Roles) == 0 && !n.KnowsSubject(q.Subject) {
		add(Suggestion(q.Subject, slices.Concat(texts(n.values["sub"]), n.known, []string{Anonymous})), "the policy knows no subject %q", q.Subject)
	}
	if n.hasTenants && q.Tenant != "" && !mentions(n.tenants, q.Tenant) {
		if near := Suggestion(q.Tenant, texts(n.tenants)); near != "" || !matchesAny(n.tenants, q.Tenant) {
			add(near, "the policy knows no tenant %q", q.Tenant)
		}
	}
	for _, name := range q.AttributeNames() {
		// Tests of attributes often check that other values are refused, and such values
		// may be similar, like active and inactive.
		if value, ok := q.Attributes[name].(string); ok && !n.knows(name, value) {
			if near := caseSuggestion(value, texts(n.values[name])); near != "" {
				add(near, "no line of the policy is about %s=%s", name, value)
			}
		}
	}
	if !n.knows("obj", q.Object) {
		if near := n.objectSuggestion(q.Object); near != "" || !matchesAny(n.values["obj"], q.Object) {
			add(near, "no line of the policy is about the object %q", q.Object)
		}
	}
	if !(isMethod(q.Action) && n.namesMethods) && !n.knows("act", q.Action) {
		add(Suggestion(q.Action, append(texts(n.values["act"]), usualMethods...)), "no line of the policy is about the action %q", q.Action)
	}
	return found
}

func texts(patterns []casbinrules.Pattern) []string {
	var all []string
	for _, p := range patterns {
		all = append(all, p.Text)
	}
	return all
}
