package casbinrules

import (
	"errors"
	"iter"
	"slices"
	"strings"
)

// maxLinks is how many role links Casbin follows from a subject.
const maxLinks = 10

// graph holds the role links of one kind of g lines, followed to the end. It
// is immutable.
type graph struct {
	tenants bool
	// numbers are those of the names that have roles, by tenant ("" in a graph
	// without), and closures what they lead to, by number.
	numbers  map[string]map[string]int32
	closures []*closure
}

// node is a name within a tenant; the tenant is "" in a graph without.
type node struct{ tenant, name string }

// closure is what role links lead to. Names linked to the same roles share
// one.
type closure struct {
	// links are the names, sorted.
	links []link
	// names are the same names, without the role prefix; tails are those fewer
	// than maxLinks away, which a role of the credentials reaches.
	names, tails []string
	// cut is a name one link too far, or "".
	cut string
}

// link is a name and the least number of links to it, at most maxLinks.
type link struct {
	name  string
	count int
}

// newGraph follows the links of the g lines of one kind, of which there are
// count.
func newGraph(rules []*rule, kind string, count int, tenants bool, prefix string) *graph {
	g := &graph{tenants: tenants, numbers: map[string]map[string]int32{}}
	f := follower{graph: g, prefix: prefix, direct: make([]roles, 0, count)}
	for _, r := range rules {
		if r.kind() == kind {
			f.add(g.ends(r))
		}
	}
	shared := map[node]*closure{}
	g.closures = make([]*closure, len(f.direct))
	for tenant, numbers := range g.numbers {
		for _, number := range numbers {
			direct := &f.direct[number]
			key := node{tenant, direct.first}
			if len(direct.more) > 0 {
				slices.Sort(direct.more)
				key.name = "\x00" + strings.Join(direct.more, "\x00")
			}
			c := shared[key]
			if c == nil {
				c = f.follow(tenant, direct.all())
				shared[key] = c
			}
			g.closures[number] = c
		}
	}
	return g
}

// roles are the roles that g lines give a name; most names have one.
type roles struct {
	first string
	more  []string // all of them, when there are several
}

func (d *roles) all() []string {
	if len(d.more) > 0 {
		return d.more
	}
	return []string{d.first}
}

// follower follows the links of a graph that is being made.
type follower struct {
	graph  *graph
	prefix string
	direct []roles // by number
}

func (f *follower) add(from, to node) {
	numbers := f.graph.numbers[from.tenant]
	if numbers == nil {
		room := 0
		if !f.graph.tenants {
			room = cap(f.direct)
		}
		numbers = make(map[string]int32, room)
		f.graph.numbers[from.tenant] = numbers
	}
	number, known := numbers[from.name]
	if !known {
		numbers[from.name] = int32(len(f.direct))
		f.direct = append(f.direct, roles{first: to.name})
		return
	}
	d := &f.direct[number]
	d.more = append(d.more, to.name)
	if len(d.more) == 1 {
		d.more = append(d.more, d.first)
	}
}

// follow walks breadth first, as Casbin does.
func (f *follower) follow(tenant string, roles []string) *closure {
	c := &closure{}
	counts := map[string]int{}
	for n := 1; n <= maxLinks && len(roles) > 0; n++ {
		var next []string
		for _, role := range roles {
			if counts[role] > 0 {
				continue
			}
			counts[role] = n
			if number, ok := f.graph.numbers[tenant][role]; ok {
				next = append(next, f.direct[number].all()...)
			}
		}
		roles = next
	}
	for _, role := range roles {
		if counts[role] == 0 {
			c.cut = role
		}
	}
	for name, n := range counts {
		c.links = append(c.links, link{name, n})
	}
	slices.SortFunc(c.links, func(a, b link) int { return strings.Compare(a.name, b.name) })
	c.names = make([]string, len(c.links))
	c.tails = c.names
	for i, l := range c.links {
		c.names[i] = strings.TrimPrefix(l.name, f.prefix)
	}
	if slices.ContainsFunc(c.links, func(l link) bool { return l.count == maxLinks }) {
		c.tails = nil
		for i, l := range c.links {
			if l.count < maxLinks {
				c.tails = append(c.tails, c.names[i])
			}
		}
	}
	return c
}

// to is the number of links to a name, and whether there is a way. It searches
// by itself: handed to a function, the name would leave the stack.
func (c *closure) to(name string) (int, bool) {
	low, high := 0, len(c.links)
	for low < high {
		if mid := int(uint(low+high) >> 1); c.links[mid].name < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(c.links) || c.links[low].name != name {
		return 0, false
	}
	return c.links[low].count, true
}

// ends are what a g line links.
func (g *graph) ends(r *rule) (from, to node) {
	f := r.fields()
	tenant := ""
	if g.tenants {
		tenant = f[2]
	}
	return node{tenant, f[0]}, node{tenant, f[1]}
}

// from is the closure of name, or nil.
func (g *graph) from(tenant, name string) *closure {
	if !g.tenants {
		tenant = ""
	}
	if number, ok := g.numbers[tenant][name]; ok {
		return g.closures[number]
	}
	return nil
}

// all are the names that have roles, in no order.
func (g *graph) all() iter.Seq2[node, *closure] {
	return func(yield func(node, *closure) bool) {
		for tenant, numbers := range g.numbers {
			for name, number := range numbers {
				if !yield(node{tenant, name}, g.closures[number]) {
					return
				}
			}
		}
	}
}

// links is the number of links from name to role, 0 for the same name, and
// whether there is a way.
func (g *graph) links(tenant, name, role string) (int, bool) {
	if name == role {
		return 0, true
	}
	c := g.from(tenant, name)
	if c == nil {
		return 0, false
	}
	return c.to(role)
}

// grant is the role links that one request adds to a graph: from its subject
// to each role of its credentials, in its tenant.
type grant struct {
	subject, tenant string
	roles           []string
}

// linked reports whether name has role, with the links of the grant.
func (g *graph) linked(with *grant, tenant, name, role string) bool {
	if _, ok := g.links(tenant, name, role); ok {
		return true
	}
	if len(with.roles) == 0 || g.tenants && tenant != with.tenant {
		return false
	}
	// A shortest way takes at most one added link, since all of them begin at
	// the subject.
	head, ok := g.links(tenant, name, with.subject)
	if !ok {
		return false
	}
	for _, token := range with.roles {
		if tail, ok := g.links(tenant, token, role); ok && head+1+tail <= maxLinks {
			return true
		}
	}
	return false
}

// call is the matcher function of the graph: with the grant of the request as
// first argument for g, without for g2 and its like.
func (g *graph) call(args ...any) (any, error) {
	with := &grant{}
	if len(args) > 0 {
		if given, ok := args[0].(*grant); ok {
			with, args = given, args[1:]
		}
	}
	var names [3]string
	if len(args) < 2 || len(args) > len(names) {
		return nil, errors.New("a role definition is called with two names, and a tenant where it has one")
	}
	for i, arg := range args {
		name, ok := arg.(string)
		if !ok {
			return nil, errors.New("a role definition is called with names only")
		}
		names[i] = name
	}
	return g.linked(with, names[2], names[0], names[1]), nil
}
