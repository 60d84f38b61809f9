package engine

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// subjectPatterns finds the subjects of rules for which a name stands where role
// links hold patterns. Names that the policy does not know may match some, so that
// it follows the links for each question, and not when the policy is loaded.
type subjectPatterns struct {
	graph *policy.Graph
	// tenants are those of rules that are patterns, nil where tenants are compared
	// by equality; names are the subjects of rules that are patterns, nil for none.
	tenants, names *pattern.Set
	// matched are the subjects of rules that match a role of links which is a
	// pattern, by that role.
	matched map[int32][]int32
}

// finish notes the patterns among the subjects and tenants of rules.
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

// subjects are the names that rules are for.
func (x *subjectIndex) subjects() []int32 {
	var names []int32
	for p := range x.pairs {
		names = append(names, p.Name)
	}
	for name, ruled := range x.ruled {
		if ruled {
			names = append(names, int32(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// numbers are those of the subjects that the subject of q stands for, sorted.
func (m *subjectPatterns) numbers(x *subjectIndex, q *Request, with *TokenRoles) []int32 {
	w := patternWalk{index: x, of: m, tenants: []int32{0}}
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

// patternWalk collects numbers of subjects.
type patternWalk struct {
	index   *subjectIndex
	of      *subjectPatterns
	tenants []int32 // of rules that are for the tenant asked for
	found   []int32
}

// add adds the rules for a name itself.
func (w *patternWalk) add(name int32) {
	for _, tenant := range w.tenants {
		if number := w.index.own(policy.Pair{Tenant: tenant, Name: name}); number != 0 {
			w.found = append(w.found, number)
		}
	}
}

// reach adds the rules for a name, and for the patterns that it matches.
func (w *patternWalk) reach(number int32, name string) {
	if number != 0 {
		w.add(number)
	}
	for covering := range w.of.names.Matching(name) {
		w.add(covering)
	}
}

// follow adds the rules for a name, and for what it is linked to by at most so
// many links.
func (w *patternWalk) follow(tenant, name string, most int32) {
	w.reach(w.index.names.Known(name), name)
	for c := range w.of.graph.Closures(policy.Moment{}, tenant, name) {
		for _, l := range c.Links {
			if l.Count <= most {
				w.reach(l.Number, w.index.names.Text(l.Number))
			}
		}
		for _, l := range c.Open {
			for _, subject := range w.of.matched[l.Number] {
				if l.Count <= most {
					w.add(subject)
				}
			}
		}
	}
}
