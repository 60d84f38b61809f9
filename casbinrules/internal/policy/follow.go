package policy

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// follower follows the links of a graph that is being made.
type follower struct {
	graph  *Graph
	prefix string
	pace   *pace.Pace
	direct []Span  // of roles, by node
	roles  []int32 // that lines give names, by the numbers of their texts
	// raw and expanded are in place of these where texts are patterns: the roles
	// that lines give a node, and those that it has by one link.
	raw, expanded [][]int32
	opened        []met // roles that are patterns, of the walk at hand
	// shared are the places of the closures so far, by tenant and roles.
	shared map[string]int32
	key    []byte
	// seen is the walk that has last met a name, in seenFew where few names have
	// links, found what the walk at hand has met, and queue and next are what it goes
	// on with.
	seen        []int32
	seenFew     map[int32]int32
	walk        int32
	found       []met
	queue, next []int32
	// Closures and what they hold are cut from larger pieces, of so many each.
	piece    int
	closures []Closure
	links    []link
	names    []string
}

// met is a name that a walk has come to, and by how many links.
type met struct{ name, count int32 }

// make follows the links of the g lines of one kind, which are among lines.
func (f *follower) make(lines []*Rule, texts *Texts, s *model.Schema, kind string) {
	g := f.graph
	g.texts = texts
	count, of := 0, texts.Known(kind)
	for _, r := range lines {
		if r.Numbers()[0] == of {
			count++
		}
	}
	few := g.patterns == nil && s.Limits[kind] == 0 && count < texts.Numbers()/mostOfFew
	switch {
	case g.Tenants:
		g.nodes.byPair = map[Pair]int32{}
	case few:
		g.nodes.few = newFew(count)
	}
	f.piece = piece
	f.shared = map[string]int32{}
	if few {
		f.seenFew = map[int32]int32{}
	} else {
		f.seen = make([]int32, texts.Numbers())
	}
	if g.patterns == nil {
		f.addLinks(lines, of, count)
	} else {
		f.addPatternLinks(lines, s, kind)
	}
	g.byNode = make([]int32, max(len(f.direct), len(f.expanded)))
	g.closures = make([]*Closure, 1)
	for n := range g.byNode {
		if roles := f.rolesOf(int32(n)); len(roles) > 0 {
			f.pace.Step()
			g.linked = append(g.linked, int32(n))
			g.byNode[n] = f.closureOf(g.nodes.pair(int32(n)).Tenant, roles, f.openRoles(int32(n)))
		}
	}
	if g.patterns != nil {
		f.followPatterns()
	}
	if few && !g.Tenants {
		slices.SortFunc(g.linked, func(a, b int32) int { return cmp.Compare(g.nodes.pair(a).Name, g.nodes.pair(b).Name) })
	}
}

// mostOfFew is how many texts a policy has for each role link where names with links
// are few: a table of all texts would take longer to make than all else.
const mostOfFew = 16

// meet notes that the walk at hand has met a name, and hasMet reports whether it has.
func (f *follower) meet(name int32) {
	if f.seenFew != nil {
		f.seenFew[name] = f.walk
	} else {
		f.seen[name] = f.walk
	}
}

func (f *follower) hasMet(name int32) bool {
	if f.seenFew != nil {
		return f.seenFew[name] == f.walk
	}
	return f.seen[name] == f.walk
}

// addLinks sorts the roles of the g lines of a kind, of which there are so many, by the
// names they are given to.
func (f *follower) addLinks(rules []*Rule, kind int32, count int) {
	g := f.graph
	if g.nodes.areNames() {
		f.direct = make([]Span, g.texts.Numbers())
	}
	f.piece = min(count, piece) // a name has a closure, and most lead to as many names
	froms := make([]int32, 0, count)
	for _, r := range rules {
		if r.Numbers()[0] != kind {
			continue
		}
		f.pace.Step()
		from, _ := g.Pairs(r)
		n := g.nodes.add(from)
		if int(n) == len(f.direct) {
			f.direct = append(f.direct, Span{})
		}
		f.direct[n].Count++
		froms = append(froms, n)
	}
	f.roles = make([]int32, Lay(f.direct))
	for _, r := range rules {
		if r.Numbers()[0] != kind {
			continue
		}
		at := &f.direct[froms[0]]
		f.roles[at.First+at.Count] = r.Number(1)
		at.Count++
		froms = froms[1:]
	}
}

// rolesOf are the roles that a node has by one link.
func (f *follower) rolesOf(n int32) []int32 {
	if f.expanded != nil {
		return f.expanded[n]
	}
	at := f.direct[n]
	return f.roles[at.First : at.First+at.Count]
}

// closureOf is the place of the closure of a name with these roles in a tenant,
// of which open are patterns.
func (f *follower) closureOf(tenant int32, roles, open []int32) int32 {
	if len(roles) > 1 {
		slices.SortFunc(roles, f.compare)
	}
	f.key = binary.AppendUvarint(f.key[:0], uint64(tenant))
	for _, role := range roles {
		f.key = binary.AppendUvarint(f.key, uint64(role))
	}
	for _, role := range open {
		f.key = binary.AppendUvarint(append(f.key, 0), uint64(role)) // no text has the number 0
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

// follow walks breadth first, as Casbin does.
func (f *follower) follow(tenant int32, roles, open []int32) *Closure {
	f.walk++
	f.found, f.opened = f.found[:0], f.opened[:0]
	f.open(open, 1)
	f.queue = append(f.queue[:0], roles...)
	for n := int32(1); n <= MaxLinks && len(f.queue) > 0; n++ {
		f.next = f.next[:0]
		for _, role := range f.queue {
			if f.hasMet(role) {
				continue
			}
			f.meet(role)
			f.found = append(f.found, met{role, n})
			if number := f.graph.nodes.find(Pair{tenant, role}); number >= 0 {
				f.next = append(f.next, f.rolesOf(number)...)
				f.open(f.openRoles(number), n+1)
			}
		}
		f.queue, f.next = f.next, f.queue
	}
	c := cutPiece(&f.closures, 1, f.piece)
	for _, role := range f.queue {
		if !f.hasMet(role) {
			c[0].cut = f.graph.texts.Text(role)
		}
	}
	f.fill(&c[0])
	return &c[0]
}

// open notes roles that are patterns, so many links away.
func (f *follower) open(roles []int32, links int32) {
	for _, role := range roles {
		if links <= MaxLinks && !slices.ContainsFunc(f.opened, func(m met) bool { return m.name == role }) {
			f.opened = append(f.opened, met{role, links})
		}
	}
}

// fill writes what was found into a closure.
func (f *follower) fill(c *Closure) {
	slices.SortFunc(f.found, func(a, b met) int { return f.compare(a.name, b.name) })
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

// cutPiece takes n from the front of a larger piece, a new one of some size if it is
// too small.
func cutPiece[T any](from *[]T, n, size int) []T {
	if len(*from) < n {
		*from = make([]T, max(n, size))
	}
	cut := (*from)[:n:n]
	*from = (*from)[n:]
	return cut
}
