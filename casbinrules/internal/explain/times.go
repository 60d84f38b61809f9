package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// maxTimeNotes is the maximum number of notes about links that do not count.
const maxTimeNotes = 5

// counts reports whether a role link counts now. In a graph with tenants, Casbin
// checks the time or the condition of the first link only.
func (x *Explainer) counts(g *policy.Graph, r policy.Rule, first bool) bool {
	return g.Tenants && !first || g.Counts(x.Request.Now, r)
}

// links returns the lines of one kind of role links. If links have times or conditions
// and two lines give the same link, Casbin uses only the last one.
func (x *Explainer) links(g *policy.Graph, kind string) (lines []policy.Rule) {
	last := map[[2]policy.Pair]policy.Rule{}
	ends := func(r policy.Rule) [2]policy.Pair {
		from, to := g.Pairs(r)
		return [2]policy.Pair{from, to}
	}
	for _, r := range x.Snapshot.Rules.All() {
		if r.Kind() != kind {
			continue
		}
		lines = append(lines, r)
		if g.Limited() {
			last[ends(r)] = r
		}
	}
	return slices.DeleteFunc(lines, func(r policy.Rule) bool { return g.Limited() && last[ends(r)] != r })
}

// timeNotes returns notes about role links of the subject, or of the object, that
// do not count yet or no longer.
func (x *Explainer) timeNotes() []string {
	var notes []string
	for _, kind := range slices.Sorted(maps.Keys(x.Snapshot.Schema.Limits)) {
		g := x.Snapshot.Graphs[kind]
		reached := x.reached(g, kind)
		for _, r := range x.links(g, kind) {
			from, to := g.Ends(r)
			if !reached[from.Name] || g.Tenants && from.Tenant != x.Request.Tenant || x.counts(g, r, from.Name == x.linked(kind)) {
				continue
			}
			if len(notes) == maxTimeNotes {
				return append(notes, "more role links do not count now")
			}
			notes = append(notes, model.Visible(fmt.Sprintf("the role link from %s to %s at %s %s", from.Name, to.Name, r.Place(), x.whyNot(g, r))))
		}
	}
	return notes
}

// whyNot returns why a role link does not count.
func (x *Explainer) whyNot(g *policy.Graph, r policy.Rule) string {
	switch {
	case !g.Timed():
		return "does not count, by its condition: " + strings.Join(g.Condition(r), ", ")
	case g.Window(r).End <= x.Request.Now.Time:
		return "ended at " + r.Field(g.TimeField(true)) + " (UTC)"
	default:
		return "begins at " + r.Field(g.TimeField(false)) + " (UTC)"
	}
}

// linked returns the value from which links of a kind lead on.
func (x *Explainer) linked(kind string) string {
	switch x.Snapshot.Schema.LinkedField(kind) {
	case "obj":
		return x.Request.Object
	case "act":
		return x.Request.Action
	default:
		return x.Subject
	}
}

// reached returns the names that links of a kind lead to from the request, at any time.
func (x *Explainer) reached(g *policy.Graph, kind string) map[string]bool {
	names := []string{x.linked(kind)}
	if x.Snapshot.Schema.LinkedField(kind) == "sub" {
		names = append(names, x.Request.Roles...)
	}
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
		if c := g.From(x.Request.Tenant, name); c != nil {
			for _, name := range c.AllNames() {
				found[name] = true
			}
		}
	}
	return found
}
