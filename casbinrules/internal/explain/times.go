package explain

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// maxTimeNotes is how many links that do not count an explanation tells of.
const maxTimeNotes = 5

// counts reports whether a role link counts now. Of a graph with tenants Casbin
// looks at the time of the first link alone.
func (x *Explainer) counts(g *policy.Graph, r *policy.Rule, first bool) bool {
	return !g.Timed() || g.Tenants && !first || g.Window(r).Holds(x.Request.Now)
}

// timeNotes are the role links on the way of the subject, or of the object, that
// do not count yet or any more.
func (x *Explainer) timeNotes() []string {
	var notes []string
	for _, kind := range slices.Sorted(maps.Keys(x.Snapshot.Schema.Timed)) {
		g := x.Snapshot.Graphs[kind]
		reached := x.reached(g, kind)
		for _, r := range x.Snapshot.Rules {
			if r.Kind() != kind {
				continue
			}
			from, to := g.Ends(r)
			w := g.Window(r)
			if !reached[from.Name] || g.Tenants && from.Tenant != x.Request.Tenant || x.counts(g, r, from.Name == x.linked(kind)) {
				continue
			}
			if len(notes) == maxTimeNotes {
				return append(notes, "more role links do not count now")
			}
			when := "begins at " + r.Field(g.TimeField(false))
			if w.End <= x.Request.Now {
				when = "ended at " + r.Field(g.TimeField(true))
			}
			notes = append(notes, model.Visible(fmt.Sprintf("the role link from %s to %s at %s %s (UTC)", from.Name, to.Name, r.Place(), when)))
		}
	}
	return notes
}

// linked is what links of a kind lead on from first.
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

// reached are the names that links of a kind lead to from the request, whenever
// they count.
func (x *Explainer) reached(g *policy.Graph, kind string) map[string]bool {
	names := []string{x.linked(kind)}
	if x.Snapshot.Schema.LinkedField(kind) == "sub" {
		names = append(names, x.Request.Roles...)
	}
	found := map[string]bool{}
	for _, name := range names {
		found[name] = true
		if c := g.From(x.Request.Tenant, name); c != nil {
			for _, name := range c.Every() {
				found[name] = true
			}
		}
	}
	return found
}
