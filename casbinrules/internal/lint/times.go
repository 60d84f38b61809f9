package lint

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// checkLimits checks role links that may not always count.
func (l *Linter) checkLimits() {
	for _, kind := range slices.Sorted(maps.Keys(l.Schema.Limits)) {
		g := l.graphs[kind]
		if g == nil {
			continue
		}
		t := limitCheck{Linter: l, graph: g, now: policy.InstantOf(l.settings.Now()), first: map[[2]policy.Pair]policy.Rule{}, given: map[policy.Pair]bool{}}
		links := policy.LinesOf(l.Rules, l.settings.Pace, func(r policy.Rule) bool { return r.Kind() == kind })
		for _, r := range links.All() {
			_, to := g.Pairs(r)
			t.given[to] = true
		}
		for _, r := range links.All() {
			t.check(r)
		}
	}
}

// limitCheck checks the links of one kind.
type limitCheck struct {
	*Linter
	graph *policy.Graph
	now   policy.Instant
	// first are the links so far, given the names that a link assigns as a role.
	first map[[2]policy.Pair]policy.Rule
	given map[policy.Pair]bool
	// always are the names that of leads to at any time, kept for the next line about it.
	of     policy.Pair
	always map[int32]bool
}

func (t *limitCheck) alwaysFrom(name policy.Pair) map[int32]bool {
	if t.always == nil || t.of != name {
		t.of, t.always = name, t.graph.AlwaysFrom(name)
	}
	return t.always
}

// isRole reports whether the name from which a link leads is certainly a role, so
// that the link is not the first one of a user.
func (t *limitCheck) isRole(from policy.Pair, r policy.Rule) bool {
	name, prefix := r.Field(0), t.settings.RolePrefix
	return t.given[from] || t.Schema.LinkedField(r.Kind()) == "sub" &&
		(name == t.defaultRole() || prefix != "" && strings.HasPrefix(name, prefix) || slices.Contains(t.Schema.MatcherRoles, name))
}

func (t *limitCheck) check(r policy.Rule) {
	from, to := t.graph.Pairs(r)
	what, limits := "times", "start and end"
	if !t.graph.Timed() {
		what, limits = "conditions", "conditions"
	}
	at := t.graph.TimeField(false) + 1
	link := [2]policy.Pair{from, to}
	if other := t.first[link]; !other.IsZero() {
		t.report(r, at, model.CodeLinkTwice, "keep one of the lines", "the link stands at %s with other %s, and Casbin looks at those of the last line alone", other.Place(), what)
		return
	}
	t.first[link] = r
	w, end := t.graph.Window(r), t.graph.TimeField(true)
	switch {
	case t.graph.Always(r):
		return
	case w.End <= w.Start:
		t.report(r, end+1, model.CodeLinkNever, "write an end that is later than the start", "the link ends before it starts, so it never counts")
		return
	case w.End <= t.now:
		t.report(r, end+1, model.CodeLinkOver, "remove the line, or write a later end", "the link is over since %s, UTC", r.Field(end))
	}
	switch {
	case t.graph.Tenants && t.isRole(from, r):
		t.report(r, at, model.CodeLinkUnchecked, "give "+limits+" to the links of those who have the role",
			"in a model with tenants Casbin looks at the %s of the first link alone, and whoever has the role %q has %q at any time", what, r.Field(0), r.Field(1))
	case w.End > t.now && t.alwaysFrom(from)[to.Name]:
		t.report(r, at, model.CodeLinkOutlived, "limit the other links too, or remove this line",
			"%q has %q at any time by other links, so this one has no effect", r.Field(0), r.Field(1))
	}
}
