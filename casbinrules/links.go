package casbinrules

import "iter"

// maxLinks is how many role links Casbin follows from a subject.
const maxLinks = 10

// graph holds the role links of one kind of g lines, followed to the end. It
// is immutable.
type graph struct {
	tenants bool
	texts   *texts // in which names and tenants have numbers; nil without links
	nodes   nodes
	// byNode is which of the closures a name leads to, by its node; the first is
	// nil, for names that have no roles.
	byNode   []int32
	closures []*closure
}

// node is a name within a tenant; the tenant is "" in a graph without.
type node struct{ tenant, name string }

// nodes numbers names within tenants. Without tenants these are the numbers of
// the names.
type nodes struct {
	byPair map[pair]int32 // nil without tenants
	pairs  []pair
}

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

// link is a name, its number, and the least number of links to it, at most
// maxLinks.
type link struct {
	name          string
	number, count int32
}

// add is the number of a name, a new one if it has none.
func (n *nodes) add(p pair) int32 {
	if n.byPair == nil {
		return p.name
	}
	number, known := n.byPair[p]
	if !known {
		number = int32(len(n.pairs))
		n.byPair[p] = number
		n.pairs = append(n.pairs, p)
	}
	return number
}

// find is the number of a name, or -1.
func (n *nodes) find(p pair) int32 {
	if n.byPair == nil {
		return p.name
	}
	if number, known := n.byPair[p]; known {
		return number
	}
	return -1
}

// pair is the tenant and the name with a number.
func (n *nodes) pair(number int32) pair {
	if n.byPair == nil {
		return pair{name: number}
	}
	return n.pairs[number]
}

// ends are what a g line links.
func (g *graph) ends(r *rule) (from, to node) {
	a, b := g.pairs(r)
	return g.node(a), g.node(b)
}

func (g *graph) node(p pair) node {
	n := node{name: g.texts.text(p.name)}
	if g.tenants {
		n.tenant = g.texts.text(p.tenant)
	}
	return n
}

// pairs are the ends of a g line by numbers.
func (g *graph) pairs(r *rule) (from, to pair) {
	tenant := int32(0)
	if g.tenants {
		tenant = r.number(2)
	}
	return pair{tenant, r.number(0)}, pair{tenant, r.number(1)}
}

// from is the closure of name, or nil.
func (g *graph) from(tenant, name string) *closure {
	if g.texts == nil {
		return nil
	}
	p := pair{name: g.texts.known(name)}
	if g.tenants {
		p.tenant = g.texts.known(tenant)
	}
	return g.of(p)
}

// of is from by numbers.
func (g *graph) of(p pair) *closure {
	if n := g.nodes.find(p); 0 <= n && int(n) < len(g.byNode) {
		return g.closures[g.byNode[n]]
	}
	return nil
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
	return int(c.links[low].count), true
}

// each are the names that have roles, by their numbers.
func (g *graph) each() iter.Seq2[pair, *closure] {
	return func(yield func(pair, *closure) bool) {
		for number, at := range g.byNode {
			if at != 0 && !yield(g.nodes.pair(int32(number)), g.closures[at]) {
				return
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
