package policy

import (
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// Pair is a name within a tenant, as numbers.
type Pair struct{ Tenant, Name int32 }

// Span is a range of a list.
type Span struct{ First, Count int32 }

// Layout places spans with known counts one after the other, empty and ready to be
// filled. It returns their total size.
func Layout(spans []Span) (total int32) {
	for i := range spans {
		count := spans[i].Count
		spans[i] = Span{First: total}
		total += count
	}
	return total
}

// MaxLinks is the number of role links that Casbin follows from a subject.
const MaxLinks = 10

// Graph holds the role links of one kind of g lines, with their closures. It is
// immutable.
type Graph struct {
	Tenants bool
	texts   *Texts // with the numbers of names and tenants; nil without links
	nodes   nodes
	// byNode is the index of the closure of a node's name; the first closure is nil,
	// for names without roles.
	byNode []int32
	// linked are the nodes with roles, sorted.
	linked   []int32
	closures []*Closure
	patterns *patterns // nil if all texts are compared literally
	times    *times    // nil if all links always count
}

// node is a name within a tenant, which is "" in a graph without tenants.
type node struct{ Tenant, Name string }

// nodes numbers names within tenants. Without tenants these are the numbers of the names.
type nodes struct {
	byPair map[Pair]int32 // nil without tenants
	pairs  []Pair
}

// Closure is the set of names that role links lead to. Names linked to the same
// roles share one.
type Closure struct {
	// Links are the names, sorted.
	Links []link
	// Names are the same names without the role prefix; Tails are those fewer than
	// MaxLinks links away, which a role of the credentials reaches.
	Names, Tails []string
	// Open are reached roles that are patterns, with the number of links to names
	// that match them.
	Open []link
	// tooFar is a name that is one link too far away, or "".
	tooFar string
}

// AllNames returns the names that the closure leads to, in order.
func (c *Closure) AllNames() []string {
	names := make([]string, len(c.Links))
	for i, l := range c.Links {
		names[i] = l.name
	}
	return names
}

// link is a name with its number, and the smallest number of links to it, at most
// MaxLinks.
type link struct {
	name          string
	Number, Count int32
}

// add returns the number of a name, and assigns one to a new name.
func (n *nodes) add(p Pair) int32 {
	number := n.find(p)
	if number < 0 {
		number = int32(len(n.pairs))
		n.pairs = append(n.pairs, p)
		n.byPair[p] = number
	}
	return number
}

// find returns the number of a name, or -1.
func (n *nodes) find(p Pair) int32 {
	if n.byPair == nil {
		return p.Name
	}
	if number, known := n.byPair[p]; known {
		return number
	}
	return -1
}

// pair returns the tenant and the name with a number.
func (n *nodes) pair(number int32) Pair {
	if n.byPair == nil {
		return Pair{Name: number}
	}
	return n.pairs[number]
}

// Ends returns the two ends of a g line.
func (g *Graph) Ends(r Rule) (from, to node) {
	a, b := g.Pairs(r)
	return g.node(a), g.node(b)
}

func (g *Graph) node(p Pair) node {
	n := node{Name: g.texts.Text(p.Name)}
	if g.Tenants {
		n.Tenant = g.texts.Text(p.Tenant)
	}
	return n
}

// Pairs returns the ends of a g line as numbers.
func (g *Graph) Pairs(r Rule) (from, to Pair) {
	tenant := int32(0)
	if g.Tenants {
		tenant = r.Number(2)
	}
	return Pair{tenant, r.Number(0)}, Pair{tenant, r.Number(1)}
}

// From returns the closure of name by all links, whether or not they count now, or nil.
func (g *Graph) From(tenant, name string) *Closure {
	return g.FromAt(Moment{Time: anyTime}, tenant, name)
}

// Of is From with numbers.
func (g *Graph) Of(p Pair) *Closure {
	if n := g.nodes.find(p); 0 <= n && int(n) < len(g.byNode) {
		return g.closures[g.byNode[n]]
	}
	return nil
}

// distance returns the number of links to a name, and whether there is a path.
func (c *Closure) distance(name string) (int, bool) {
	at := sort.Search(len(c.Links), func(i int) bool { return c.Links[i].name >= name })
	if at == len(c.Links) || c.Links[at].name != name {
		return 0, false
	}
	return int(c.Links[at].Count), true
}

// Each returns the names that have roles, as numbers.
func (g *Graph) Each() iter.Seq2[Pair, *Closure] {
	return func(yield func(Pair, *Closure) bool) {
		for _, number := range g.linked {
			if !yield(g.nodes.pair(number), g.closures[g.byNode[number]]) {
				return
			}
		}
	}
}

// distance returns the number of links from name to role, 0 for the same name, and
// whether there is a path.
func (g *Graph) distance(now Moment, tenant, name, role string) (int, bool) {
	if name == role {
		return 0, true
	}
	if g.patterns != nil {
		// These are copies because the compiler assumes that patterns retain what
		// they match, and roles of credentials must stay on the stack.
		return g.patternDistance(strings.Clone(tenant), strings.Clone(name), strings.Clone(role))
	}
	c := g.FromAt(now, tenant, name)
	if c == nil {
		return 0, false
	}
	return c.distance(role)
}

// Grant is the role links that one request adds to a graph: from its subject to
// each role of its credentials, in its tenant.
type Grant struct {
	Subject, Tenant string
	Roles           []string
	Now             Moment // the moment at which role links must count
}

// Linked reports whether name has role, with the links of the grant.
func (g *Graph) Linked(with *Grant, tenant, name, role string) bool {
	if _, ok := g.distance(with.Now, tenant, name, role); ok {
		return true
	}
	if len(with.Roles) == 0 || g.Tenants && tenant != with.Tenant {
		return false
	}
	if g.patterns != nil && name != with.Subject {
		return false // A subject is not a pattern.
	}
	// A shortest path uses at most one added link, since all of them begin at the
	// subject.
	head, ok := g.distance(with.Now, tenant, name, with.Subject)
	if !ok {
		return false
	}
	for _, token := range with.Roles {
		if tail, ok := g.distance(g.AfterTokenRole(with.Now), tenant, token, role); ok && head+1+tail <= MaxLinks {
			return true
		}
	}
	return false
}

// NewGraphs follows the role links of every kind of g lines.
func NewGraphs(s *model.Schema, rules Rules, c *model.Settings) map[string]*Graph {
	return newGraphs(s, TextsOf(rules), LinesOf(rules, c.Pace, notPolicy), rules.Len() > 0, c)
}

// newGraphs is NewGraphs for the lines of role links; some reports that the policy has
// rules at all.
func newGraphs(s *model.Schema, texts *Texts, lines Rules, some bool, c *model.Settings) map[string]*Graph {
	graphs := map[string]*Graph{}
	for kind, width := range s.Roles {
		f := follower{graph: &Graph{Tenants: width == 3, patterns: newPatterns(s, kind)}, pace: c.Pace}
		if kind == "g" {
			f.prefix = c.RolePrefix
		}
		number := texts.Known(kind)
		own := LinesOf(lines, c.Pace, func(r Rule) bool { return r.Numbers()[0] == number })
		if some {
			f.build(own, texts, s, kind)
		}
		if s.Limits[kind] > 0 {
			f.graph.times = newTimes(&f, own, kind, s.Limits[kind], c.LinkConditions[kind])
		}
		graphs[kind] = f.graph
	}
	return graphs
}

// Group returns the names that have a role or, if back is set, the roles that a
// name has, sorted.
func (g *Graph) Group(name string, back bool) []string {
	var names []string
	if back {
		if c := g.From("", name); c != nil {
			names = c.AllNames()
		}
	} else {
		for from, c := range g.Each() {
			if _, ok := c.distance(name); ok {
				names = append(names, g.texts.Text(from.Name))
			}
		}
	}
	slices.Sort(names)
	return names
}

// Texts returns the names that role links lead from or to, each perhaps several times.
func (g *Graph) Texts() iter.Seq[string] {
	return func(yield func(string) bool) {
		for from, c := range g.Each() {
			if !yield(g.texts.Text(from.Name)) {
				return
			}
			for _, l := range c.Links {
				if !yield(l.name) {
					return
				}
			}
		}
	}
}

// Equal reports whether two closures lead to the same names by as many links. Both
// may be nil.
func (c *Closure) Equal(other *Closure) bool {
	if c == nil || other == nil {
		return c == other
	}
	return c == other || slices.EqualFunc(c.Links, other.Links, func(a, b link) bool { return a.Number == b.Number && a.Count == b.Count })
}

// LeadsToAny reports whether c, which may be nil, leads to one of names, which is
// indexed by number.
func (c *Closure) LeadsToAny(names []bool) bool {
	return c != nil && slices.ContainsFunc(c.Links, func(l link) bool { return names[l.Number] })
}

// MarkDependents marks the names that lead to one of changed, and those whose roles
// differ from old, which may be g. Both slices are indexed by number. g must not
// have tenants.
func (g *Graph) MarkDependents(old *Graph, changed, marked []bool, p *pace.Pace) {
	leads := make([]bool, len(g.closures))
	for i, c := range pace.Each(p, g.closures) {
		leads[i] = c.LeadsToAny(changed)
	}
	for _, number := range pace.Each(p, g.linked) {
		if leads[g.byNode[number]] {
			marked[g.nodes.pair(number).Name] = true
		}
	}
	if g == old {
		return
	}
	for _, number := range pace.Each(p, old.linked) {
		if at := old.nodes.pair(number); g.Of(at) == nil {
			marked[at.Name] = true
		}
	}
	equal := make([]*Closure, len(g.closures)) // the equal closure of old, once compared
	for _, number := range pace.Each(p, g.linked) {
		at, of := g.nodes.pair(number), g.byNode[number]
		was := old.Of(at)
		if was != nil && (equal[of] == was || g.closures[of].Equal(was)) {
			equal[of] = was
		} else {
			marked[at.Name] = true
		}
	}
}

// Mark marks the names that c, which may be nil, leads to.
func (c *Closure) Mark(names []bool) {
	if c != nil {
		for _, l := range c.Links {
			names[l.Number] = true
		}
	}
}
