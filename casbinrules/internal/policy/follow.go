package policy

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// follower follows the links of a graph under construction.
type follower struct {
	graph  *Graph
	prefix string
	pace   *pace.Pace
	direct []Span  // of roles, by node
	roles  []int32 // assigned by lines, as numbers of texts
	// raw and expanded replace these if names or tenants are patterns: the roles
	// that lines assign to a node, and all roles that it has by one link.
	raw, expanded [][]int32
	opened        []reached // roles that are patterns, in the current walk
	// shared are the indexes of the closures so far, by tenant and roles.
	shared map[string]int32
	key    []byte
	// seen is the number of the last walk that reached a name. found are the names that
	// the current walk has reached, and queue and next those from which it continues.
	seen        []int32
	walk        int32
	found       []reached
	queue, next []int32
	// Closures and their contents are allocated in pieces of this many elements.
	piece    int
	closures []Closure
	links    []link
	names    []string
}

// reached is a name that a walk has reached, and the number of links to it.
type reached struct{ name, count int32 }

// pieceSize is the number of links or closures that are allocated together.
const pieceSize = 512

// build follows the g lines of one kind.
func (f *follower) build(lines Rules, texts *Texts, s *model.Schema, kind string) {
	g := f.graph
	g.texts = texts
	if g.Tenants {
		g.nodes.byPair = map[Pair]int32{}
	}
	f.piece = pieceSize
	f.shared = map[string]int32{}
	f.seen = make([]int32, texts.Numbers())
	if g.patterns == nil {
		f.addLinks(lines)
	} else {
		f.addPatternLinks(lines, s, kind)
	}
	g.byNode = make([]int32, max(len(f.direct), len(f.expanded)))
	g.closures = make([]*Closure, 1)
	for n := range pace.Each(f.pace, g.byNode) {
		if roles := f.rolesOf(int32(n)); len(roles) > 0 {
			f.pace.Step()
			g.linked = append(g.linked, int32(n))
			g.byNode[n] = f.closureOf(g.nodes.pair(int32(n)).Tenant, roles, f.openRoles(int32(n)))
		}
	}
	if g.patterns != nil {
		f.followPatterns()
	}
}

// addLinks groups the roles of the g lines of a kind by the names that they are
// assigned to.
func (f *follower) addLinks(rules Rules) {
	g := f.graph
	if !g.Tenants {
		f.direct = make([]Span, g.texts.Numbers())
	}
	f.piece = min(rules.Len(), pieceSize) // each name has a closure, and most lead to one name
	froms := make([]int32, 0, rules.Len())
	for _, r := range rules.All() {
		f.pace.Step()
		from, _ := g.Pairs(r)
		n := g.nodes.add(from)
		if int(n) == len(f.direct) {
			f.direct = append(f.direct, Span{})
		}
		f.direct[n].Count++
		froms = append(froms, n)
	}
	f.roles = make([]int32, Layout(f.direct))
	for i, r := range rules.Each(f.pace) {
		at := &f.direct[froms[i]]
		f.roles[at.First+at.Count] = r.Number(1)
		at.Count++
	}
}

// rolesOf returns the roles that a node has by one link.
func (f *follower) rolesOf(n int32) []int32 {
	if f.expanded != nil {
		return f.expanded[n]
	}
	at := f.direct[n]
	return f.roles[at.First : at.First+at.Count]
}

// closureOf returns the index of the closure of a name with these roles in a
// tenant; open are those that are patterns.
func (f *follower) closureOf(tenant int32, roles, open []int32) int32 {
	if len(roles) > 1 {
		slices.SortFunc(roles, f.compare)
	}
	f.key = binary.AppendUvarint(f.key[:0], uint64(tenant))
	for _, role := range roles {
		f.key = binary.AppendUvarint(f.key, uint64(role))
	}
	for _, role := range open {
		f.key = binary.AppendUvarint(append(f.key, 0), uint64(role)) // a separator, since no text has number 0
	}
	at := f.shared[string(f.key)]
	if at == 0 {
		at = int32(len(f.graph.closures))
		f.graph.closures = append(f.graph.closures, f.follow(tenant, roles, open))
		f.shared[string(f.key)] = at
	}
	return at
}

func (f *follower) compare(a, b int32) int {
	return strings.Compare(f.graph.texts.Text(a), f.graph.texts.Text(b))
}

// follow walks breadth-first, as Casbin does.
func (f *follower) follow(tenant int32, roles, open []int32) *Closure {
	f.walk++
	f.found, f.opened = f.found[:0], f.opened[:0]
	f.open(open, 1)
	f.queue = append(f.queue[:0], roles...)
	for n := int32(1); n <= MaxLinks && len(f.queue) > 0; n++ {
		f.next = f.next[:0]
		for _, role := range f.queue {
			if f.seen[role] == f.walk {
				continue
			}
			f.seen[role] = f.walk
			f.found = append(f.found, reached{role, n})
			if number := f.graph.nodes.find(Pair{tenant, role}); number >= 0 {
				f.next = append(f.next, f.rolesOf(number)...)
				f.open(f.openRoles(number), n+1)
			}
		}
		f.queue, f.next = f.next, f.queue
	}
	c := cutPiece(&f.closures, 1, f.piece)
	for _, role := range f.queue {
		if f.seen[role] != f.walk {
			c[0].tooFar = f.graph.texts.Text(role)
		}
	}
	f.fill(&c[0])
	return &c[0]
}

// open records roles that are patterns and so many links away.
func (f *follower) open(roles []int32, links int32) {
	for _, role := range roles {
		if links <= MaxLinks && !slices.ContainsFunc(f.opened, func(m reached) bool { return m.name == role }) {
			f.opened = append(f.opened, reached{role, links})
		}
	}
}

// fill stores the result of a walk in a closure.
func (f *follower) fill(c *Closure) {
	slices.SortFunc(f.found, func(a, b reached) int { return f.compare(a.name, b.name) })
	c.Links = cutPiece(&f.links, len(f.found), f.piece)
	c.Names = cutPiece(&f.names, len(f.found), f.piece)
	near := 0
	for i, m := range f.found {
		name := f.graph.texts.Text(m.name)
		c.Links[i] = link{name, m.name, m.count}
		c.Names[i] = strings.TrimPrefix(name, f.prefix)
		if m.count < MaxLinks {
			near++
		}
	}
	for _, m := range f.opened {
		c.Open = append(c.Open, link{f.graph.texts.Text(m.name), m.name, m.count})
	}
	if c.Tails = c.Names; near == len(c.Names) {
		return
	}
	c.Tails = make([]string, 0, near)
	for i, l := range c.Links {
		if l.Count < MaxLinks {
			c.Tails = append(c.Tails, c.Names[i])
		}
	}
}

// cutPiece takes n elements from the front of a larger piece, or of a new one of
// the given size if it is too small.
func cutPiece[T any](from *[]T, n, size int) []T {
	if len(*from) < n {
		*from = make([]T, max(n, size))
	}
	cut := (*from)[:n:n]
	*from = (*from)[n:]
	return cut
}
