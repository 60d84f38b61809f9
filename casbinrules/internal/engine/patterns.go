package engine

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// subjectPatterns finds the rule subjects that a name stands for if role links
// contain patterns. Names that the policy does not mention may match a pattern, so
// links are followed for each request, not when the policy is loaded.
type subjectPatterns struct {
	graph *policy.Graph
	// tenants are the tenants of rules that are patterns, nil if tenants are
	// compared by equality; names are the rule subjects that are patterns, or nil.
	tenants, names *pattern.Set
	// matched are the rule subjects that match a role, by role, for roles of links
	// that are patterns.
	matched map[int32][]int32
}

// finish collects the patterns among the subjects and tenants of rules.
func (m *subjectPatterns) finish(x *subjectIndex) {
	if m.tenants != nil {
		for p := range x.pairs {
			m.tenants.Add(p.Tenant, x.names.Text(p.Tenant))
		}
	}
	function := m.graph.NameFunction()
	if function == "" {
		return
	}
	m.names, m.matched = pattern.NewSet(function), map[int32][]int32{}
	subjects := x.subjects()
	for _, name := range subjects {
		m.names.Add(name, x.names.Text(name))
	}
	for _, c := range m.graph.Each() {
		for _, l := range c.Open {
			if _, known := m.matched[l.Number]; known {
				continue
			}
			m.matched[l.Number] = nil
			for _, name := range subjects {
				if m.graph.Matches(x.names.Text(name), x.names.Text(l.Number)) {
					m.matched[l.Number] = append(m.matched[l.Number], name)
				}
			}
		}
	}
}

// subjects returns the names that are subjects of rules.
func (x *subjectIndex) subjects() []int32 {
	var names []int32
	for p := range x.pairs {
		names = append(names, p.Name)
	}
	for name, ruled := range x.hasRules {
		if ruled {
			names = append(names, int32(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// numbers returns the subject numbers that the subject of q stands for, sorted.
func (m *subjectPatterns) numbers(x *subjectIndex, q *Request, with *TokenRoles) []int32 {
	w := patternWalk{index: x, patterns: m, tenants: []int32{0}}
	if x.keyed {
		w.tenants = w.tenants[:0]
		if number := x.names.Known(q.Tenant); number != 0 {
			w.tenants = append(w.tenants, number)
		}
		for number := range m.tenants.Matching(q.Tenant) {
			w.tenants = append(w.tenants, number)
		}
		if len(w.tenants) == 0 {
			return nil
		}
	}
	if x.named {
		w.follow(q.Tenant, q.Subject, policy.MaxLinks)
	}
	for _, name := range x.consts {
		w.add(x.names.Known(name))
	}
	for _, role := range with.Roles {
		w.follow(q.Tenant, with.Prefix+role, policy.MaxLinks-1)
	}
	slices.Sort(w.found)
	return slices.Compact(w.found)
}

// patternWalk collects subject numbers.
type patternWalk struct {
	index    *subjectIndex
	patterns *subjectPatterns
	tenants  []int32 // of rules that apply in the tenant of the request
	found    []int32
}

// add adds the rules for a name itself.
func (w *patternWalk) add(name int32) {
	for _, tenant := range w.tenants {
		if number := w.index.own(policy.Pair{Tenant: tenant, Name: name}); number != 0 {
			w.found = append(w.found, number)
		}
	}
}

// addMatching adds the rules for a name and for the patterns that match it.
func (w *patternWalk) addMatching(number int32, name string) {
	if number != 0 {
		w.add(number)
	}
	for covering := range w.patterns.names.Matching(name) {
		w.add(covering)
	}
}

// follow adds the rules for a name, and for the names it reaches by at most most
// links.
func (w *patternWalk) follow(tenant, name string, most int32) {
	w.addMatching(w.index.names.Known(name), name)
	for c := range w.patterns.graph.Closures(policy.Moment{}, tenant, name) {
		for _, l := range c.Links {
			if l.Count <= most {
				w.addMatching(l.Number, w.index.names.Text(l.Number))
			}
		}
		for _, l := range c.Open {
			for _, subject := range w.patterns.matched[l.Number] {
				if l.Count <= most {
					w.add(subject)
				}
			}
		}
	}
}
