package effect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// Settings configure a comparison.
type Settings struct {
	ask.Who
	// Claims are the attribute values to ask about; for other attributes they are
	// generated. Types are the types of attributes that are not texts.
	Claims map[string][]string
	Types  map[string]casbinrules.AttributeType
	// Limit is the maximum number of questions.
	Limit int
	// Clock is the clock of both policies, which are compared now and at each future time
	// at which a role link begins or ends. It is nil if the policies are evaluated at a
	// fixed time.
	Clock *ask.Clock
	// everything asks every request, for tests.
	everything bool
}

// policy is one side of a comparison.
type policy struct {
	*ask.Policy
	rules      []casbinrules.Rule
	matcher    casbinrules.Matcher
	fields     []string
	attributes []string
	tenants    bool
	// times are the times at which role links begin or end. roleTimes reports that they
	// affect nothing but the roles of the subject.
	times     []time.Time
	roleTimes bool
}

func newPolicy(a *ask.Policy, prefix string) *policy {
	fields := a.RequestFields()
	p := &policy{
		Policy: a, rules: a.Rules(), matcher: a.Matcher(), fields: fields,
		attributes: ask.Attributes(fields), tenants: slices.ContainsFunc(fields, ask.IsTenant),
	}
	p.readTimes(prefix)
	return p
}

// denied returns the subjects of deny rules, and the names that role links connect to them.
func (p *policy) denied() []string {
	var names []string
	for _, r := range p.rules {
		if r.Kind == "p" && r.Effect != "allow" {
			for _, s := range r.Subjects {
				names = append(names, s.Text)
			}
		}
	}
	for i := 0; i < len(names); i++ {
		for _, r := range p.rules {
			if r.Kind == "g" && r.Fields[1] == names[i] && !slices.Contains(names, r.Fields[0]) {
				names = append(names, r.Fields[0])
			}
		}
	}
	return names
}

// rolesInterchangeable reports whether role and user names are interchangeable, because the matcher
// uses the subject only in role links: a user called like a role may do nothing but what
// that role in a token allows, and a user assigned a role gets what the role in a token
// would give.
func (p *policy) rolesInterchangeable() bool {
	return p.matcher.OwnRoles && len(p.matcher.Opaque) == 0 && !slices.ContainsFunc(p.matcher.Comparisons, func(c casbinrules.Comparison) bool {
		return c.Field == "sub" && c.Function != "g"
	})
}

// roleNamesOfOne returns the names that only one of the policies treats as role names. Users
// with such a name get nothing by it in that policy.
func roleNamesOfOne(a, b *policy, prefix string) []string {
	var differ []string
	for _, sides := range [][2]*policy{{a, b}, {b, a}} {
		others := sides[1].roleNames(prefix)
		for _, name := range sides[0].roleNames(prefix) {
			if _, known := slices.BinarySearch(others, name); !known {
				differ = append(differ, name)
			}
		}
	}
	return differ
}

// roleNames returns the names that a policy treats as role names, in the policy's spelling.
func (p *policy) roleNames(prefix string) []string {
	names := ask.MatcherRoles(p.matcher)
	if p.Default != "" {
		names = append(names, prefix+p.Default)
	}
	for _, r := range p.rules {
		if r.Kind == "g" {
			names = append(names, r.Fields[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// changed returns the rules that may decide differently in the other policy: those that it
// lacks or overrides with another line for the same link, or all of them if the model or
// the order differs.
func (p *policy) changed(other *policy) []casbinrules.Rule {
	everybody := p.Default != other.Default || p.Alone != other.Alone
	ordered := strings.Contains(strings.ToLower(p.matcher.Effect), "priority")
	switch {
	case everybody, p.matcher.Text != other.matcher.Text, p.matcher.Effect != other.matcher.Effect, !slices.Equal(p.fields, other.fields),
		ordered && !slices.EqualFunc(p.rules, other.rules, same):
		return p.rules
	}
	known := map[string]bool{}
	for _, r := range other.rules {
		known[ruleContent(r)] = true
	}
	mine, others := lastByLink(p.rules), lastByLink(other.rules)
	var changed []casbinrules.Rule
	for _, r := range p.rules {
		if at := linkKey(r); !known[ruleContent(r)] || mine[at] == ruleContent(r) && others[at] != ruleContent(r) {
			changed = append(changed, r)
		}
	}
	return changed
}

func same(a, b casbinrules.Rule) bool { return ruleContent(a) == ruleContent(b) }

// ruleContent returns a text that is equal for rules with the same content.
func ruleContent(r casbinrules.Rule) string { return fmt.Sprintf("%q %q", r.Kind, r.Fields) }

// lastByLink returns the content of the last line for each role link, which is the one in effect.
func lastByLink(rules []casbinrules.Rule) map[string]string {
	m := map[string]string{}
	for _, r := range rules {
		m[linkKey(r)] = ruleContent(r)
	}
	return m
}

// linkKey returns a text that is equal for role links that differ only in their start
// and end.
func linkKey(r casbinrules.Rule) string {
	if n := len(r.Fields); r.Kind != "p" && n > 3 {
		r.Fields = r.Fields[:n-2]
	}
	return ruleContent(r)
}
