package policy

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Instant is a time in whole microseconds since 1970, UTC.
type Instant int64

// The ends of links that have none.
const (
	noStart Instant = math.MinInt64
	noEnd   Instant = math.MaxInt64
)

// anyTime stands for all times at once, so that links count whatever they say.
const anyTime = noStart

// openTime is what a policy says for a start or an end that there is none of.
const openTime = "_"

// timeLayout is how Casbin's TimeMatch reads a time. It has no zone, and so is UTC.
const timeLayout = time.DateTime

// InstantOf is a time as an instant.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

func parseInstant(text string) (Instant, bool) {
	t, err := time.Parse(timeLayout, text)
	return InstantOf(t), err == nil
}

// Window says when a role link counts: after its start and before its end. A link
// without one has the smallest or the largest instant there.
type Window struct{ Start, End Instant }

// Holds reports whether the link counts.
func (w Window) Holds(now Instant) bool { return w.Start < now && now < w.End }

// Always reports whether it has neither start nor end.
func (w Window) Always() bool { return w.Start == noStart && w.End == noEnd }

// Timed reports whether links of the graph have a start and an end.
func (g *Graph) Timed() bool { return g.times != nil }

// Window says when a g line counts. What cannot be read was refused.
func (g *Graph) Window(r *Rule) Window {
	w := Window{noStart, noEnd}
	if g.times == nil {
		return w
	}
	if start, ok := parseInstant(r.Field(g.TimeField(false))); ok {
		w.Start = start
	}
	if end, ok := parseInstant(r.Field(g.TimeField(true))); ok {
		w.End = end
	}
	return w
}

// times are the links of a graph with their windows.
type times struct {
	links  map[int32][]timedLink // by the node they lead from
	prefix string
	// names are those which some link that does not always count leads on from.
	names map[Pair]*timedName
}

type timedLink struct {
	to     int32
	window Window
}

// timedName is a name whose roles change with time. It keeps those of the last
// question, with how long they stay the same.
type timedName struct {
	node int32
	last atomic.Pointer[timedClosure]
}

// timedClosure is a closure that is right after one instant and before another.
type timedClosure struct {
	Closure
	after, before Instant
}

// newTimes reads the windows of the links of a kind. Of two lines for one link the
// last counts, as Casbin has it.
func newTimes(f *follower, rules []*Rule, kind string) *times {
	g := f.graph
	t := &times{links: map[int32][]timedLink{}, names: map[Pair]*timedName{}, prefix: f.prefix}
	g.times = t
	if g.texts == nil {
		return t
	}
	number := g.texts.Known(kind)
	limited := map[int32]bool{}
	places := map[[2]int32]int{} // of links from a node to a name, among those of the node
	for _, r := range rules {
		if r.Numbers()[0] != number {
			continue
		}
		f.pace.Step()
		from, to := g.Pairs(r)
		made := timedLink{to.Name, g.Window(r)}
		n := g.nodes.find(from)
		if at, known := places[[2]int32{n, made.to}]; known {
			t.links[n][at] = made
		} else {
			places[[2]int32{n, made.to}] = len(t.links[n])
			t.links[n] = append(t.links[n], made)
		}
		limited[n] = limited[n] || !made.window.Always()
	}
	for p, c := range g.Each() {
		n := g.nodes.find(p)
		if limited[n] || slices.ContainsFunc(c.Links, func(l link) bool { return limited[g.nodes.find(Pair{p.Tenant, l.Number})] }) {
			t.names[p] = &timedName{node: n}
		}
	}
	return t
}

// ChangesWithTime reports whether the roles of a name do.
func (g *Graph) ChangesWithTime(p Pair) bool { return g.times != nil && g.times.names[p] != nil }

// FromAt is the closure of name by the links that count now, or nil.
func (g *Graph) FromAt(now Instant, tenant, name string) *Closure {
	if g.times == nil {
		return g.From(tenant, name)
	}
	if g.texts == nil {
		return nil
	}
	p := Pair{Name: g.texts.Known(name)}
	if g.Tenants {
		p.Tenant = g.texts.Known(tenant)
	}
	return g.At(now, p)
}

// At is FromAt by numbers. Two results are the same closure only while no link on
// the way of the name has begun or ended.
func (g *Graph) At(now Instant, p Pair) *Closure {
	if g.times == nil {
		return g.Of(p)
	}
	name := g.times.names[p]
	if name == nil || now == anyTime {
		return g.Of(p)
	}
	c := name.last.Load()
	if c == nil || now <= c.after || c.before <= now {
		c = g.followAt(now, name.node)
		name.last.Store(c)
	}
	return &c.Closure
}

// Later is by what time links are judged that come behind one of the credentials:
// of a graph with tenants Casbin looks at the time of the first link alone.
func (g *Graph) Later(now Instant) Instant {
	if g.Tenants {
		return anyTime
	}
	return now
}

// followAt walks from a node along the links that count now, as Casbin does; see
// Later.
func (g *Graph) followAt(now Instant, node int32) *timedClosure {
	start := g.nodes.pair(node)
	c := &timedClosure{after: noStart, before: noEnd}
	var found []met
	seen := map[int32]bool{}
	queue := []int32{start.Name}
	for n := int32(1); n <= MaxLinks && len(queue) > 0; n++ {
		var next []int32
		for _, name := range queue {
			for _, l := range g.times.links[g.nodes.find(Pair{start.Tenant, name})] {
				if n == 1 || !g.Tenants {
					c.narrow(now, l.window)
					if !l.window.Holds(now) {
						continue
					}
				}
				if !seen[l.to] {
					seen[l.to] = true
					found = append(found, met{l.to, n})
					next = append(next, l.to)
				}
			}
		}
		queue = next
	}
	f := follower{graph: g, prefix: g.times.prefix, found: found, links: make([]link, len(found)), names: make([]string, len(found))}
	f.fill(&c.Closure)
	return c
}

// narrow makes the closure right only as long as the window stays open, or closed.
// At the very instant of an end it is right for nothing else.
func (c *timedClosure) narrow(now Instant, w Window) {
	for _, end := range [2]Instant{w.Start, w.End} {
		if end <= now {
			c.after = max(c.after, end)
		}
		if end >= now {
			c.before = min(c.before, end)
		}
	}
}

// TimeField is the field of g lines that has the start or, with end, the end.
func (g *Graph) TimeField(end bool) int {
	at := 2
	if g.Tenants {
		at++
	}
	if end {
		at++
	}
	return at
}

// Always are the names that links without start and end lead to from one.
func (g *Graph) Always(from Pair) map[int32]bool {
	seen := map[int32]bool{}
	queue := []int32{from.Name}
	for n := 1; n <= MaxLinks && len(queue) > 0; n++ {
		var next []int32
		for _, name := range queue {
			for _, l := range g.times.links[g.nodes.find(Pair{from.Tenant, name})] {
				if l.window.Always() && !seen[l.to] {
					seen[l.to] = true
					next = append(next, l.to)
				}
			}
		}
		queue = next
	}
	return seen
}
