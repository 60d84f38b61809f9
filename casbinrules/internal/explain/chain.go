package explain

import (
	"slices"

	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// fillChains adds the role links that the matcher follows between the request and a rule:
// for the subject, the object and the action.
func (x *Explainer) fillChains(e *Explanation, r policy.Rule) {
	for _, c := range x.Snapshot.Schema.RoleCalls() {
		chain := map[string]*[]ChainLink{"r_sub": &e.Chain, "r_obj": &e.ObjectChain, "r_act": &e.ActionChain}[c.Field]
		from, to := x.value(r, c.Arg(0)), x.value(r, c.Arg(1))
		if chain != nil && *chain == nil && from != "" && to != "" {
			*chain = x.chain(c.Text, from, to, x.value(r, c.Arg(2)))
		}
	}
}

// value returns the value of an argument of the matcher, or "".
func (x *Explainer) value(r policy.Rule, n *model.Node) string {
	if n.Kind == model.NodeText {
		return n.Text
	}
	name := n.Name()
	if column := x.Snapshot.Schema.Column(name); column >= 0 {
		return r.Field(column)
	}
	if field, ok := x.Snapshot.Schema.RequestField(name); ok {
		return x.Request.Text(field)
	}
	return ""
}

// chain returns a shortest path from a name to a role, along the lines of one kind
// and, for g, the roles of the credentials. It returns nil if there is none, or if
// both are the same. It may come back to from once: only first links have times in a
// tenant.
func (x *Explainer) chain(kind, from, to, tenant string) []ChainLink {
	g := x.Snapshot.Graphs[kind]
	seen := map[string]bool{}
	for queue, links := []*step{{to: from}}, 0; len(queue) > 0 && links <= policy.MaxLinks; links++ {
		if at := slices.IndexFunc(queue, func(s *step) bool { return g.Matches(s.to, to) }); at >= 0 {
			return x.trace(queue[at])
		}
		var next []*step
		for _, s := range x.steps(g, kind, queue, to, tenant, links == 0) {
			if !seen[s.to] {
				seen[s.to] = true
				next = append(next, s)
			}
		}
		queue = next
	}
	return nil
}

// step is a role link after another one, nil for the name that a chain begins with;
// rule is zero for a role of the credentials.
type step struct {
	after *step
	to    string
	rule  policy.Rule
}

// steps returns the links that lead on from others, in their order. A role that is a
// pattern leads to the wanted role, if it matches, and to every matching name in
// links. first reports that these are the first links of a chain.
func (x *Explainer) steps(g *policy.Graph, kind string, reached []*step, wanted, tenant string, first bool) []*step {
	byName := map[string][]*step{}
	for _, r := range x.links(g, kind) {
		from, to := g.Ends(r)
		if !g.Covers(from.Tenant, tenant) || !x.counts(g, r, first) {
			continue
		}
		for _, s := range reached {
			if !g.Matches(s.to, from.Name) {
				continue
			}
			on := &step{s, to.Name, r}
			byName[s.to] = append(byName[s.to], on)
			if s.to == from.Name && g.NameFunction() != "" {
				byName[s.to] = append(byName[s.to], x.matching(g, on, wanted)...)
			}
		}
	}
	var found []*step
	for _, s := range reached {
		found = append(found, byName[s.to]...)
		if kind == "g" && s.to == x.Request.Subject && (!g.Tenants || tenant == x.Request.Tenant) {
			for _, role := range x.Request.Roles {
				found = append(found, &step{after: s, to: role})
			}
		}
	}
	return found
}

// matching returns the steps to the names that the role of a step matches as a pattern.
func (x *Explainer) matching(g *policy.Graph, to *step, wanted string) []*step {
	var found []*step
	add := func(name string) {
		if g.Matches(name, to.to) {
			found = append(found, &step{to.after, name, to.rule})
		}
	}
	add(wanted)
	for name := range g.Texts() {
		add(name)
	}
	return found
}

// trace returns the chain that ends with a step.
func (x *Explainer) trace(s *step) []ChainLink {
	var links []ChainLink
	for ; s.after != nil; s = s.after {
		link := ChainLink{From: model.Visible(x.shown(s.after.to)), To: model.Visible(s.to)}
		if s.rule.IsZero() {
			link.Default = !slices.Contains(x.Request.Roles[:x.Credentials], s.to)
		} else {
			written := s.rule.RuleText()
			link.Rule = &written
		}
		links = append(links, link)
	}
	slices.Reverse(links)
	return links
}

// shown returns a name as in the request.
func (x *Explainer) shown(name string) string {
	if name == engine.Unmatchable {
		return x.Subject
	}
	return name
}
