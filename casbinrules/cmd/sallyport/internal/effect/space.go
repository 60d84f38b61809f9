package effect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/distinct"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/sample"
)

// maxCrossed is the maximum number of patterns that are crossed with each other.
const maxCrossed = 300

// anyMethod describes a method that no rule names.
const anyMethod = "(any other method)"

// request is an object with the pattern it was generated for.
type request struct{ pattern, object string }

// space is the set of requests that both policies are asked about.
type space struct {
	subjects []ask.Subject
	requests []request
	actions  []string
	// others are the actions that no rule names, with their descriptions.
	others map[string]string
	// have are the objects of requests.
	have map[string]bool
	// prefix is the prefix of role names.
	prefix string
	// gaps describe the kinds of requests for which none could be generated.
	gaps []string
}

// newSpace generates a request of every kind that the two policies distinguish.
func newSpace(before, after *policy, settings Settings) (*space, error) {
	rules := slices.Concat(before.rules, after.rules)
	values := func(field string) []casbinrules.Pattern {
		return distinct.Add(ask.Values(before.rules, before.matcher, field), ask.Values(after.rules, after.matcher, field)...)
	}
	word := sample.WordFor(rules)
	s := &space{others: map[string]string{}, have: map[string]bool{}, prefix: settings.Prefix}
	for _, text := range slices.Compact(slices.Concat(before.matcher.Opaque, after.matcher.Opaque)) {
		s.gap("the condition %s is only covered by examples", text)
	}
	assignments, err := s.assignments(before, after, values, settings, word)
	if err != nil {
		return nil, err
	}
	s.addObjects(rules, values("obj"), word)
	s.addActions(rules, values("act"), word)
	var tenantValues []casbinrules.Pattern
	for _, field := range []string{"dom", "domain", "tenant"} {
		tenantValues = append(tenantValues, values(field)...)
	}
	s.addSubjects(before, after, values("sub"), tenantValues, settings.Who, word)
	settings.Assignments = assignments
	s.subjects = settings.Spread(s.subjects)
	return s, nil
}

func (s *space) gap(format string, args ...any) {
	s.gaps = distinct.Add(s.gaps, fmt.Sprintf(format, args...))
}

// missed records the patterns of a field that are only covered by examples.
func (s *space) missed(field string, patterns []casbinrules.Pattern) {
	if len(patterns) > 3 {
		s.gap("not every kind of r.%s could be generated for %d patterns, such as %s", field, len(patterns), patterns[0].Text)
		return
	}
	for _, p := range patterns {
		s.gap("not every kind of r.%s could be generated for %s (%s)", field, p.Text, p.Function)
	}
}

// assignments returns the attribute values to ask about.
func (s *space) assignments(before, after *policy, values func(string) []casbinrules.Pattern, settings Settings, word string) ([]*ask.Assignment, error) {
	fields := distinct.Add(slices.Clone(before.attributes), after.attributes...)
	if err := ask.CheckClaims(settings.Claims, fields); err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, nil
	}
	made := map[string][]string{}
	for _, field := range fields {
		if given := settings.Claims[field]; given != nil {
			made[field] = given
			continue
		}
		var missed []casbinrules.Pattern
		made[field], missed = sample.Values(values(field), settings.Types[field], word)
		s.missed(field, missed)
	}
	return ask.Assignments(fields, made), nil
}

func (s *space) addObjects(rules []casbinrules.Rule, values []casbinrules.Pattern, word string) {
	patterns := slices.Clone(values)
	var objects []casbinrules.Pattern
	for _, r := range rules {
		objects = append(objects, r.Objects...)
	}
	patterns = distinct.Add(patterns, objects...)
	for _, p := range patterns {
		for _, object := range sample.Objects(p, word) {
			s.addRequest(request{p.Text, object})
		}
	}
	if len(patterns) <= maxCrossed {
		for _, p := range patterns {
			for _, q := range patterns {
				if object, ok := sample.Cross(p, q, word); ok {
					s.addRequest(request{object, object})
				}
			}
		}
	}
	known := s.objects()
	all, missed := sample.Space{Patterns: values, Valid: sample.CanonicalObject}.Complete(known)
	for _, object := range all[len(known):] {
		s.addRequest(request{object, object})
	}
	s.missed("obj", missed)
}

// objects returns the objects of the requests.
func (s *space) objects() []string {
	var objects []string
	for _, r := range s.requests {
		objects = append(objects, r.object)
	}
	return objects
}

func (s *space) addRequest(r request) {
	if !s.have[r.object] {
		s.have[r.object] = true
		s.requests = append(s.requests, r)
	}
}

// addActions adds the actions that rules name, all usual methods if a rule has a pattern,
// an application-specific action that no rule names, and one action of each other kind.
func (s *space) addActions(rules []casbinrules.Rule, values []casbinrules.Pattern, word string) {
	add := func(action string) {
		if action != "" && !slices.Contains(s.actions, action) {
			s.actions = append(s.actions, action)
		}
	}
	for _, r := range rules {
		for _, p := range r.Actions {
			for _, action := range sample.Actions(p) {
				add(action)
			}
		}
	}
	for _, p := range values {
		for _, action := range sample.Actions(p) {
			add(action)
		}
	}
	for _, action := range []string{"HEAD", "OPTIONS", word, strings.ToUpper(word)} {
		add(action)
	}
	s.others[word] = "(any other action)"
	s.others[strings.ToUpper(word)] = anyMethod
	space := sample.Space{Patterns: values, Valid: "(?s).", Distinguish: []string{"^(GET|POST|PUT|PATCH|DELETE|OPTIONS)$", "^HEAD$", `\p{Ll}`}}
	all, missed := space.Complete(s.actions)
	for _, action := range all[len(s.actions):] {
		add(action)
	}
	s.missed("act", missed)
}

// tenants returns the tenants that the policies name, one that neither names, for rules
// that cover any tenant, and one of each kind that patterns distinguish.
func (s *space) tenants(rules []casbinrules.Rule, values []casbinrules.Pattern, word string) []string {
	named := slices.DeleteFunc(ask.Tenants(rules), func(tenant string) bool {
		return tenant == "" || slices.ContainsFunc(values, func(p casbinrules.Pattern) bool { return p.Text == tenant && !p.Matches(tenant) })
	})
	all, missed := sample.Space{Patterns: values, Valid: "(?s)."}.Complete(append(named, word+"-tenant"))
	s.missed("dom", missed)
	return all
}

// addSubjects adds everyone that the policies name, a user of each kind that conditions on
// the subject distinguish, and the pairs of subject and role that a deny rule may affect.
func (s *space) addSubjects(before, after *policy, values, tenantValues []casbinrules.Pattern, who ask.Who, word string) {
	rules := slices.Concat(before.rules, after.rules)
	who.Stranger, who.Users, who.Assignments = word+"-user", true, nil
	who.Everybody = before.Everybody() != "" || after.Everybody() != ""
	tenants := before.tenants || after.tenants
	if tenants && who.Tenants == nil {
		who.Tenants = s.tenants(rules, tenantValues, word)
	}
	who.Named = ask.MatcherRoles(before.matcher, after.matcher)
	who.Apart = !before.rolesInterchangeable() || !after.rolesInterchangeable()
	ids := []string{who.Stranger}
	for _, subject := range who.Subjects(rules, false) {
		ids = append(ids, subject.Question("", "").Subject)
	}
	var direct []casbinrules.Pattern
	for _, p := range values {
		switch {
		case !isRoleLink(p):
			direct = append(direct, p)
		case p.Function != "g":
			who.IDs = append(who.IDs, p.Text)
		}
	}
	all, missed := sample.Space{Patterns: direct, Valid: "(?s)."}.Complete(ids)
	who.IDs = slices.Concat(who.IDs, all[len(ids):], roleNamesOfOne(before, after, who.Prefix))
	s.missed("sub", missed)
	s.subjects = who.Subjects(rules, tenants)
	s.subjects = append(s.subjects, s.pairs(before, after, who)...)
}

// isRoleLink reports whether a value is a name in role links.
func isRoleLink(p casbinrules.Pattern) bool {
	return strings.HasPrefix(p.Function, "g") && p.Function != "globMatch"
}

// pairs returns subjects with an additional role, if a deny rule is about one of the two or
// the matcher requires two roles at once. A decision depends on at most
// one rule that allows and one that denies, so two roles are enough as long as each rule
// requires one.
func (s *space) pairs(before, after *policy, who ask.Who) []ask.Subject {
	denied := map[string]bool{}
	for _, name := range slices.Concat(before.denied(), after.denied()) {
		denied[name] = true
	}
	together := max(before.matcher.RolesTogether, after.matcher.RolesTogether)
	needed := together
	if len(denied) > 0 {
		needed *= 2
	}
	if isRole := func(subject ask.Subject) bool { return subject.Kind == ask.Role }; needed > 2 && slices.ContainsFunc(s.subjects, isRole) {
		s.gap("a decision may take %d roles of the subject at once, and only two are tried", needed)
	}
	isDenied := func(subject ask.Subject) bool {
		roles := subject.Roles()
		if len(roles) == 0 {
			return denied[subject.Name]
		}
		return denied[who.Prefix+roles[0]]
	}
	var made []ask.Subject
	for i, a := range s.subjects {
		for j, b := range s.subjects {
			ordered := a.Kind == ask.User || a.Kind == ask.Role && i < j
			if b.Kind == ask.Role && ordered && a.Tenant == b.Tenant && (together > 1 || isDenied(a) || isDenied(b)) {
				made = append(made, a.With(b))
			}
		}
	}
	return made
}
