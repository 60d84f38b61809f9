package casbinrules

import (
	"encoding/binary"
	"slices"
	"strings"
)

// follower follows the links of a graph that is being made.
type follower struct {
	graph  *graph
	prefix string
	pace   *pace
	direct []span  // of roles, by node
	roles  []int32 // that lines give names, by the numbers of their texts
	// shared are the places of the closures so far, by tenant and roles.
	shared map[string]int32
	key    []byte
	// seen is the walk that has last met a name, found what the walk at hand has
	// met, and queue and next are what it goes on with.
	seen        []int32
	walk        int32
	found       []met
	queue, next []int32
	// Closures and what they hold are cut from larger pieces.
	closures []closure
	links    []link
	names    []string
}

// met is a name that a walk has come to, and by how many links.
type met struct{ name, count int32 }

// make follows the links of the g lines of one kind.
func (f *follower) make(rules []*rule, kind string) {
	if len(rules) == 0 {
		return
	}
	g := f.graph
	g.texts = rules[0].texts
	if g.tenants {
		g.nodes.byPair = map[pair]int32{}
	}
	f.seen, f.shared = make([]int32, g.texts.numbers()), map[string]int32{}
	f.addLinks(rules, g.texts.known(kind))
	g.byNode = make([]int32, len(f.direct))
	g.closures = make([]*closure, 1)
	for n := range f.direct {
		if roles := f.rolesOf(int32(n)); len(roles) > 0 {
			f.pace.step()
			g.byNode[n] = f.closureOf(g.nodes.pair(int32(n)).tenant, roles)
		}
	}
}

// addLinks sorts the roles of the g lines of a kind by the names they are given
// to.
func (f *follower) addLinks(rules []*rule, kind int32) {
	g := f.graph
	if !g.tenants {
		f.direct = make([]span, g.texts.numbers())
	}
	count := 0
	for _, r := range rules {
		if r.numbers()[0] == kind {
			count++
		}
	}
	froms := make([]int32, 0, count)
	for _, r := range rules {
		if r.numbers()[0] != kind {
			continue
		}
		f.pace.step()
		from, _ := g.pairs(r)
		n := g.nodes.add(from)
		if int(n) == len(f.direct) {
			f.direct = append(f.direct, span{})
		}
		f.direct[n].count++
		froms = append(froms, n)
	}
	f.roles = make([]int32, lay(f.direct))
	for _, r := range rules {
		if r.numbers()[0] != kind {
			continue
		}
		at := &f.direct[froms[0]]
		f.roles[at.first+at.count] = r.number(1)
		at.count++
		froms = froms[1:]
	}
}

// rolesOf are the roles that lines give a node.
func (f *follower) rolesOf(n int32) []int32 {
	at := f.direct[n]
	return f.roles[at.first : at.first+at.count]
}

// closureOf is the place of the closure of a name with these roles in a tenant.
func (f *follower) closureOf(tenant int32, roles []int32) int32 {
	if len(roles) > 1 {
		slices.SortFunc(roles, f.compare)
	}
	f.key = binary.AppendUvarint(f.key[:0], uint64(tenant))
	for _, role := range roles {
		f.key = binary.AppendUvarint(f.key, uint64(role))
	}
	at := f.shared[string(f.key)]
	if at == 0 {
		at = int32(len(f.graph.closures))
		f.graph.closures = append(f.graph.closures, f.follow(tenant, roles))
		f.shared[string(f.key)] = at
	}
	return at
}

func (f *follower) compare(a, b int32) int {
	return strings.Compare(f.graph.texts.text(a), f.graph.texts.text(b))
}

// follow walks breadth first, as Casbin does.
func (f *follower) follow(tenant int32, roles []int32) *closure {
	f.walk++
	f.found = f.found[:0]
	f.queue = append(f.queue[:0], roles...)
	for n := int32(1); n <= maxLinks && len(f.queue) > 0; n++ {
		f.next = f.next[:0]
		for _, role := range f.queue {
			if f.seen[role] == f.walk {
				continue
			}
			f.seen[role] = f.walk
			f.found = append(f.found, met{role, n})
			if number := f.graph.nodes.find(pair{tenant, role}); number >= 0 {
				f.next = append(f.next, f.rolesOf(number)...)
			}
		}
		f.queue, f.next = f.next, f.queue
	}
	c := cutPiece(&f.closures, 1)
	for _, role := range f.queue {
		if f.seen[role] != f.walk {
			c[0].cut = f.graph.texts.text(role)
		}
	}
	f.fill(&c[0])
	return &c[0]
}

// fill writes what was found into a closure.
func (f *follower) fill(c *closure) {
	slices.SortFunc(f.found, func(a, b met) int { return f.compare(a.name, b.name) })
	c.links = cutPiece(&f.links, len(f.found))
	c.names = cutPiece(&f.names, len(f.found))
	near := 0
	for i, m := range f.found {
		name := f.graph.texts.text(m.name)
		c.links[i] = link{name, m.name, m.count}
		c.names[i] = strings.TrimPrefix(name, f.prefix)
		if m.count < maxLinks {
			near++
		}
	}
	if c.tails = c.names; near == len(c.names) {
		return
	}
	c.tails = make([]string, 0, near)
	for i, l := range c.links {
		if l.count < maxLinks {
			c.tails = append(c.tails, c.names[i])
		}
	}
}

// cutPiece takes n from the front of a larger piece, a new one if it is too
// small.
func cutPiece[T any](from *[]T, n int) []T {
	if len(*from) < n {
		*from = make([]T, max(n, piece))
	}
	cut := (*from)[:n:n]
	*from = (*from)[n:]
	return cut
}
