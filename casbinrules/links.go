package casbinrules

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// maxLinks is how many role links Casbin follows from a subject.
const maxLinks = 10

// graph holds the role links of one kind of g lines, followed to the end. It
// is immutable.
type graph struct {
	tenants bool
	nodes   map[node]*closure
}

// node is a name within a tenant; the tenant is "" in a graph without.
type node struct{ tenant, name string }

// closure is what role links lead to. Names linked to the same roles share
// one.
type closure struct {
	// links is the least number of links to each name, at most maxLinks.
	links map[string]int
	// names are the same names, sorted, without the role prefix; tails are
	// those fewer than maxLinks away, which a role of the credentials reaches.
	names, tails []string
	// cut is a name one link too far, or "".
	cut string
}

// newGraph follows the links of the g lines of one kind.
func newGraph(rules []*rule, tenants bool, prefix string) *graph {
	g := &graph{tenants: tenants, nodes: map[node]*closure{}}
	direct := map[node][]string{}
	for _, r := range rules {
		from, to := g.ends(r)
		direct[from] = append(direct[from], to.name)
	}
	shared := map[node]*closure{}
	for n, roles := range direct {
		slices.Sort(roles)
		key := node{n.tenant, strings.Join(roles, "\x00")}
		c := shared[key]
		if c == nil {
			c = follow(direct, n.tenant, roles, prefix)
			shared[key] = c
		}
		g.nodes[n] = c
	}
	return g
}

// follow walks breadth first, as Casbin does.
func follow(direct map[node][]string, tenant string, roles []string, prefix string) *closure {
	c := &closure{links: map[string]int{}}
	for n := 1; n <= maxLinks && len(roles) > 0; n++ {
		var next []string
		for _, role := range roles {
			if _, seen := c.links[role]; !seen {
				c.links[role] = n
				next = append(next, direct[node{tenant, role}]...)
			}
		}
		roles = next
	}
	for _, role := range roles {
		if _, seen := c.links[role]; !seen {
			c.cut = role
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.links)) {
		shown := strings.TrimPrefix(name, prefix)
		c.names = append(c.names, shown)
		if c.links[name] < maxLinks {
			c.tails = append(c.tails, shown)
		}
	}
	return c
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
func (g *graph) from(tenant, name string) *closure { return g.nodes[g.node(tenant, name)] }

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
	n, ok := c.links[role]
	return n, ok
}

func (g *graph) node(tenant, name string) node {
	if !g.tenants {
		tenant = ""
	}
	return node{tenant, name}
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
