package policy

import (
	"iter"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// patterns is the part of a graph that is only needed if the names of role links, or
// their tenants, are patterns. Texts of requests are compared with patterns, and are
// never patterns themselves.
type patterns struct {
	function string // by which names are compared, "" if they are not patterns
	names    *pattern.Set
	compiled map[string]pattern.Matcher // of the names that requests are compared with
	// linked are the names with links, by number, if there are no tenants.
	linked []bool
	// tenants are the tenants of links that are patterns, known all tenants of
	// links.
	tenants *pattern.Set
	known   map[int32]bool
	// matchClosures are, by node of a pattern, the indexes of the closures of names
	// that match the pattern and have no links of their own.
	matchClosures []int32
}

// newPatterns returns the patterns that the options or the matcher specify for a
// kind of links; nil if its texts are compared literally.
func newPatterns(s *model.Schema, kind string) *patterns {
	names, tenants := s.RolePatterns(kind), s.TenantPatterns(kind)
	if names == "" && tenants == "" {
		return nil
	}
	p := &patterns{function: names, compiled: map[string]pattern.Matcher{}, known: map[int32]bool{}}
	if names != "" {
		p.names = pattern.NewSet(names)
	}
	if tenants != "" {
		p.tenants = pattern.NewSet(tenants)
	}
	return p
}

// Patterned reports whether some texts of the links are patterns.
func (g *Graph) Patterned() bool { return g.patterns != nil }

// NameFunction returns the function by which names are compared, "" if they are not
// patterns.
func (g *Graph) NameFunction() string {
	if g.patterns == nil {
		return ""
	}
	return g.patterns.function
}

// Covers reports whether a line for a tenant counts in another one.
func (g *Graph) Covers(line, tenant string) bool {
	return !g.Tenants || line == tenant || g.patterns != nil && g.patterns.tenants != nil && pattern.Match("keyMatch", tenant, line)
}

// Matches reports whether a name equals another one or matches it as a pattern.
func (g *Graph) Matches(name, other string) bool {
	if name == other {
		return true
	}
	matches := g.matcher(other)
	return matches != nil && matches(name)
}

// matcher returns the matcher for a name of the policy, nil for one that matches
// only itself.
func (g *Graph) matcher(name string) pattern.Matcher {
	if g.NameFunction() == "" {
		return nil
	}
	matches, ok := g.patterns.compiled[name]
	if !ok {
		matches = g.patterns.compile(name)
	}
	return matches
}

func (p *patterns) compile(name string) pattern.Matcher {
	if !pattern.IsPattern(p.function, name) {
		return nil
	}
	matches, err := pattern.Compile(p.function, name)
	if err != nil {
		return nil
	}
	return matches
}

// Closures returns the closures of the links that count now from a name in a tenant:
// at most one, plus one for each pattern that matches a name without links of its
// own.
func (g *Graph) Closures(now Moment, tenant, name string) iter.Seq[*Closure] {
	return func(yield func(*Closure) bool) {
		if g.texts != nil {
			g.ClosuresOf(now, tenant, name, g.texts.Known(name))(yield)
		}
	}
}

// ClosuresOf are Closures of a name with a number.
func (g *Graph) ClosuresOf(now Moment, tenant, name string, number int32) iter.Seq[*Closure] {
	return func(yield func(*Closure) bool) {
		if g.texts == nil {
			return
		}
		p := Pair{Name: number}
		if g.Tenants {
			p.Tenant = g.tenantOf(tenant)
		}
		if g.patterns == nil || g.patterns.names == nil || g.hasLinks(p) {
			if c := g.At(now, p); c != nil {
				yield(c)
			}
			return
		}
		for n := range g.patterns.names.Matching(name) {
			at := Pair{p.Tenant, n}
			if !g.hasLinks(at) {
				continue
			}
			if c := g.closures[g.patterns.matchClosures[g.nodes.find(at)]]; c != nil && !yield(c) {
				return
			}
		}
	}
}

// tenantOf returns the tenant whose links count in a tenant: itself, or the longest
// pattern that matches it, which includes the links of shorter ones.
func (g *Graph) tenantOf(tenant string) int32 {
	n := g.texts.Known(tenant)
	if g.patterns == nil || g.patterns.known[n] {
		return n
	}
	for covering := range g.patterns.tenants.Matching(tenant) {
		return covering
	}
	return 0
}

// hasLinks reports whether a link in a tenant of links begins or ends at a name.
func (g *Graph) hasLinks(p Pair) bool {
	if g.nodes.byPair == nil {
		return p.Name != 0 && int(p.Name) < len(g.patterns.linked) && g.patterns.linked[p.Name]
	}
	return g.nodes.find(p) >= 0
}

// patternDistance is distance for a graph with patterns.
func (g *Graph) patternDistance(tenant, name, role string) (int, bool) {
	matches := g.matcher(role)
	if matches != nil && matches(name) {
		return 0, true
	}
	least := MaxLinks + 1
	for c := range g.Closures(Moment{}, tenant, name) { // links with patterns always count
		least = min(least, g.distanceTo(c, role, matches))
	}
	return least, least <= MaxLinks
}

// distanceTo returns the smallest number of links to a role, which is a pattern if
// matches is not nil, or more than MaxLinks.
func (g *Graph) distanceTo(c *Closure, role string, matches pattern.Matcher) int {
	least := MaxLinks + 1
	if n, ok := c.distance(role); ok {
		least = n
	}
	for _, l := range c.Links {
		if matches != nil && int(l.Count) < least && matches(l.name) {
			least = int(l.Count)
		}
	}
	for _, l := range c.Open {
		if int(l.Count) < least && g.Matches(role, l.name) {
			least = int(l.Count)
		}
	}
	return least
}

// PatternsTo returns the patterns by which names without links of their own have a
// role in a tenant.
func (g *Graph) PatternsTo(tenant, role string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if g.NameFunction() == "" || g.texts == nil {
			return
		}
		matches := g.matcher(role)
		if matches != nil && !yield(role) {
			return
		}
		p := Pair{}
		if g.Tenants {
			p.Tenant = g.tenantOf(tenant)
		}
		for n, at := range g.patterns.matchClosures {
			if at == 0 || g.nodes.pair(int32(n)).Tenant != p.Tenant || g.distanceTo(g.closures[at], role, matches) > MaxLinks {
				continue
			}
			if !yield(g.texts.Text(g.nodes.pair(int32(n)).Name)) {
				return
			}
		}
	}
}

// addPatternLinks is addLinks for names or tenants that are patterns. It follows
// Casbin's role managers: a link for a pattern of tenants belongs to each matching
// tenant of links, and a name has the roles of each pattern that it matches, and
// each name that matches one of its roles.
func (f *follower) addPatternLinks(rules Rules, s *model.Schema, kind string) {
	g, p := f.graph, f.graph.patterns
	for _, r := range rules.All() {
		f.pace.Step()
		from, to := g.Pairs(r)
		p.known[from.Tenant] = true
		if p.tenants != nil {
			p.tenants.Add(from.Tenant, g.texts.Text(from.Tenant))
		}
		if p.names != nil {
			p.names.Add(from.Name, g.texts.Text(from.Name))
			p.names.Add(to.Name, g.texts.Text(to.Name))
		}
	}
	p.compileRoles(s, kind, rules)
	if !g.Tenants {
		f.raw, p.linked = make([][]int32, g.texts.Numbers()), make([]bool, g.texts.Numbers())
	}
	covered := map[int32][]int32{} // tenants, by the pattern that they match
	for _, tenant := range slices.Sorted(maps.Keys(p.known)) {
		for covering := range p.tenants.Matching(g.texts.Text(tenant)) {
			if covering != tenant {
				covered[covering] = append(covered[covering], tenant)
			}
		}
	}
	for _, r := range rules.All() {
		from, to := g.Pairs(r)
		f.addLink(from, to)
		for _, tenant := range covered[from.Tenant] {
			f.addLink(Pair{tenant, from.Name}, Pair{tenant, to.Name})
		}
	}
	f.expanded = f.raw
	if p.names != nil {
		f.expand()
	}
}

// compileRoles compiles the names that requests are compared with.
func (p *patterns) compileRoles(s *model.Schema, kind string, rules Rules) {
	if p.function == "" {
		return
	}
	add := func(name string) {
		if _, known := p.compiled[name]; !known {
			p.compiled[name] = p.compile(name)
		}
	}
	for _, c := range s.RoleCalls() {
		if c.Text == kind {
			add(c.Arg(1).Text)
		}
	}
	for _, r := range rules.All() {
		add(r.Field(1))
	}
}

// addLink adds one link, with its ends as nodes.
func (f *follower) addLink(from, to Pair) {
	n := f.node(from)
	f.node(to)
	f.raw[n] = append(f.raw[n], to.Name)
}

func (f *follower) node(p Pair) int32 {
	n := f.graph.nodes.add(p)
	for int(n) >= len(f.raw) {
		f.raw = append(f.raw, nil)
	}
	if linked := f.graph.patterns.linked; linked != nil {
		linked[n] = true
	}
	return n
}

// expand computes the roles that each node has by one link.
func (f *follower) expand() {
	g, names := f.graph, f.graph.patterns.names
	by, matched := make([][]int32, len(f.raw)), make([][]int32, len(f.raw))
	for n := range f.raw {
		p := g.nodes.pair(int32(n))
		if !g.hasLinks(p) {
			continue
		}
		f.pace.Step()
		for covering := range names.Matching(g.texts.Text(p.Name)) {
			at := Pair{p.Tenant, covering}
			if covering == p.Name || !g.hasLinks(at) {
				continue
			}
			other := g.nodes.find(at)
			by[n] = append(by[n], f.raw[other]...)
			matched[other] = append(matched[other], p.Name)
		}
	}
	f.expanded = make([][]int32, len(f.raw))
	for n, roles := range f.raw {
		all := slices.Concat(roles, by[n])
		for _, role := range roles {
			if names.Has(role) {
				all = append(all, matched[g.nodes.find(Pair{g.nodes.pair(int32(n)).Tenant, role})]...)
			}
		}
		slices.Sort(all)
		f.expanded[n] = slices.Compact(all)
	}
}

// openRoles returns the roles of a node that are patterns.
func (f *follower) openRoles(n int32) []int32 {
	if f.raw == nil || f.graph.patterns.names == nil {
		return nil
	}
	var open []int32
	for _, role := range f.raw[n] {
		if f.graph.patterns.names.Has(role) {
			open = append(open, role)
		}
	}
	return open
}

// followPatterns computes the closures of names that match a pattern.
func (f *follower) followPatterns() {
	g := f.graph
	g.patterns.matchClosures = make([]int32, len(f.raw))
	for n, roles := range f.raw {
		if p := g.nodes.pair(int32(n)); len(roles) > 0 && g.patterns.names.Has(p.Name) {
			g.patterns.matchClosures[n] = f.closureOf(p.Tenant, roles, nil)
		}
	}
}
