package policy

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// Instant is a time in whole microseconds since 1970, UTC.
type Instant int64

// The start and end of links that have none.
const (
	noStart Instant = math.MinInt64
	noEnd   Instant = math.MaxInt64
)

// anyTime makes all links count, whatever their times.
const anyTime = noStart

// unlimited is the value in a policy for no start or end, or for an empty field of a
// condition.
const unlimited = "_"

// timeLayout is the format of times in Casbin's TimeMatch. It has no zone, so times
// are UTC.
const timeLayout = time.DateTime

// InstantOf returns a time as an instant.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMicro()) }

func parseInstant(text string) (Instant, bool) {
	t, err := time.Parse(timeLayout, text)
	return InstantOf(t), err == nil
}

// Window says when a role link counts: after its start and before its end. If a
// link has no start or end, that is the smallest or the largest instant.
type Window struct{ Start, End Instant }

// Holds reports whether the link counts.
func (w Window) Holds(now Instant) bool { return w.Start < now && now < w.End }

// Always reports whether it has neither start nor end.
func (w Window) Always() bool { return w.Start == noStart && w.End == noEnd }

// limit says when a role link counts: in a window, or while a condition is true.
type limit struct {
	Window
	condition *condition
}

func (l limit) holds(m Moment) bool {
	if l.condition != nil {
		return m.evaluation != nil && m.evaluation.holds(l.condition)
	}
	return l.Holds(m.Time)
}

func (l limit) always() bool { return l.condition == nil && l.Always() }

// limit returns when a g line counts.
func (g *Graph) limit(r Rule) limit {
	if g.times.holds == nil {
		return limit{Window: g.Window(r)}
	}
	return limit{Window{noStart, noEnd}, g.times.of(g.Condition(r))}
}

// Limited reports whether links of the graph may not always count, and Timed
// whether they have a start and an end.
func (g *Graph) Limited() bool { return g.times != nil }
func (g *Graph) Timed() bool   { return g.times != nil && g.times.holds == nil }

// Counts reports whether a g line counts.
func (g *Graph) Counts(m Moment, r Rule) bool { return g.times == nil || g.limit(r).holds(m) }

// Always reports whether a g line always counts.
func (g *Graph) Always(r Rule) bool { return g.times == nil || g.limit(r).always() }

// Condition returns the fields of a g line that say when it counts. A line may have
// further ones, which Casbin ignores.
func (g *Graph) Condition(r Rule) []string {
	at := g.TimeField(false)
	return r.Fields()[at : at+g.times.width]
}

// Window returns when a g line counts. Invalid values were refused.
func (g *Graph) Window(r Rule) Window {
	w := Window{noStart, noEnd}
	if !g.Timed() {
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

// times are the links of a graph with their time limits and conditions.
type times struct {
	conditions
	links  map[int32][]timedLink // by the node they lead from
	prefix string
	// names are those from which a link that does not always count can be reached.
	names map[Pair]*timedName
}

type timedLink struct {
	to    int32
	limit limit
}

// timedName is a name whose roles change with time. It caches the last closure, with
// the time for which it is valid.
type timedName struct {
	node int32
	last atomic.Pointer[timedClosure]
}

// timedClosure is a closure that is valid after one instant and before another.
type timedClosure struct {
	Closure
	after, before Instant
}

// newTimes reads the limits of the links of a kind from width fields; with holds,
// they are arguments of a condition, and otherwise times. If two lines have the same
// link, the last one counts, as in Casbin.
func newTimes(f *follower, rules Rules, kind string, width int, holds model.LinkCondition) *times {
	g := f.graph
	t := &times{
		conditions: conditions{holds, kind, width, map[string]*condition{}},
		links:      map[int32][]timedLink{}, names: map[Pair]*timedName{}, prefix: f.prefix,
	}
	g.times = t
	if g.texts == nil {
		return t
	}
	limited := map[int32]bool{}
	places := map[[2]int32]int{} // index of a link among those of its node, by node and name
	for _, r := range rules.All() {
		f.pace.Step()
		from, to := g.Pairs(r)
		made := timedLink{to.Name, g.limit(r)}
		n := g.nodes.find(from)
		if at, known := places[[2]int32{n, made.to}]; known {
			t.links[n][at] = made
		} else {
			places[[2]int32{n, made.to}] = len(t.links[n])
			t.links[n] = append(t.links[n], made)
		}
		limited[n] = limited[n] || !made.limit.always()
	}
	for p, c := range g.Each() {
		n := g.nodes.find(p)
		if limited[n] || slices.ContainsFunc(c.Links, func(l link) bool { return limited[g.nodes.find(Pair{p.Tenant, l.Number})] }) {
			t.names[p] = &timedName{node: n}
		}
	}
	return t
}

// ChangesWithTime reports whether the roles of a name change with time.
func (g *Graph) ChangesWithTime(p Pair) bool { return g.times != nil && g.times.names[p] != nil }

// FromAt returns the closure of name by the links that count now, or nil.
func (g *Graph) FromAt(now Moment, tenant, name string) *Closure {
	if g.texts == nil {
		return nil
	}
	p := Pair{Name: g.texts.Known(name)}
	if g.Tenants {
		p.Tenant = g.texts.Known(tenant)
	}
	return g.At(now, p)
}

// At is FromAt with numbers. Two results are the same closure only as long as no
// link reachable from the name has begun or ended.
func (g *Graph) At(now Moment, p Pair) *Closure {
	if g.times == nil {
		return g.Of(p)
	}
	name := g.times.names[p]
	if name == nil || now.Time == anyTime {
		return g.Of(p)
	}
	if g.times.holds != nil {
		return &g.followAt(now, name.node).Closure
	}
	c := name.last.Load()
	if c == nil || now.Time <= c.after || c.before <= now.Time {
		c = g.followAt(now, name.node)
		name.last.Store(c)
	}
	return &c.Closure
}

// AfterTokenRole returns the moment for links that follow a role of the credentials:
// in a graph with tenants, Casbin checks the time or the condition of the first link
// only.
func (g *Graph) AfterTokenRole(now Moment) Moment {
	if g.Tenants {
		return Moment{Time: anyTime}
	}
	return now
}

// followAt follows the links that count now from a node, as Casbin does; see
// AfterTokenRole.
func (g *Graph) followAt(now Moment, node int32) *timedClosure {
	start := g.nodes.pair(node)
	c := &timedClosure{after: noStart, before: noEnd}
	found := g.walk(start, func(links int32, l limit) bool {
		if links > 1 && g.Tenants {
			return true
		}
		c.narrow(now.Time, l.Window)
		return l.holds(now)
	})
	f := follower{graph: g, prefix: g.times.prefix, found: found, links: make([]link, len(found)), names: make([]string, len(found))}
	f.fill(&c.Closure)
	return c
}

// narrow limits the closure's validity to the time in which the window stays open,
// or closed. At the exact instant of a start or an end it is valid for no other
// instant.
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

// TimeField returns the field of g lines with the start or, if end is set, the end.
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

// AlwaysFrom returns the names that a name reaches by links that always count.
func (g *Graph) AlwaysFrom(from Pair) map[int32]bool {
	names := map[int32]bool{}
	for _, m := range g.walk(from, func(_ int32, l limit) bool { return l.always() }) {
		names[m.name] = true
	}
	return names
}

// walk returns the names that a name reaches, breadth-first, by links whose limits
// counts accepts; links is their number so far.
func (g *Graph) walk(from Pair, counts func(links int32, l limit) bool) (found []reached) {
	seen := map[int32]bool{}
	queue := []int32{from.Name}
	for n := int32(1); n <= MaxLinks && len(queue) > 0; n++ {
		var next []int32
		for _, name := range queue {
			for _, l := range g.times.links[g.nodes.find(Pair{from.Tenant, name})] {
				if counts(n, l.limit) && !seen[l.to] {
					seen[l.to] = true
					found = append(found, reached{l.to, n})
					next = append(next, l.to)
				}
			}
		}
		queue = next
	}
	return found
}
