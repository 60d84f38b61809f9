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
	if field, ok := x.Snapshot.Schema.RequestField(name); ok && field < model.FieldAttribute {
		return x.Request.Text(field)
	}
	return ""
}

// chain returns a shortest path from a name to a role, along the lines of one kind
// and, for g, the roles of the credentials. It returns nil if there is none, or if
// both are the same.
func (x *Explainer) chain(kind, from, to, tenant string) []ChainLink {
	g := x.Snapshot.Graphs[kind]
	came := map[string]step{from: {}}
	for queue, links := []string{from}, 0; len(queue) > 0 && links <= policy.MaxLinks; links++ {
		if at := slices.IndexFunc(queue, func(name string) bool { return g.Matches(name, to) }); at >= 0 {
			return x.trace(came, from, queue[at])
		}
		var next []string
		for _, s := range x.steps(g, kind, queue, to, tenant, links == 0) {
			if _, seen := came[s.to]; !seen {
				came[s.to] = s
				next = append(next, s.to)
			}
		}
		queue = next
	}
	return nil
}

// step is a role link; rule is zero for a role of the credentials.
type step struct {
	from, to string
	rule     policy.Rule
}

// steps returns the links that lead on from names, in the order of the names. A role
// that is a pattern leads to the wanted role, if it matches, and to every matching
// name in links. first reports that these are the first links of a chain.
func (x *Explainer) steps(g *policy.Graph, kind string, names []string, wanted, tenant string, first bool) []step {
	byName := map[string][]step{}
	for _, r := range x.links(g, kind) {
		from, to := g.Ends(r)
		if !g.Covers(from.Tenant, tenant) || !x.counts(g, r, first) {
			continue
		}
		for _, name := range names {
			if !g.Matches(name, from.Name) {
				continue
			}
			byName[name] = append(byName[name], step{name, to.Name, r})
			if name == from.Name && g.NameFunction() != "" {
				byName[name] = append(byName[name], x.matching(g, step{name, to.Name, r}, wanted)...)
			}
		}
	}
	var found []step
	for _, name := range names {
		found = append(found, byName[name]...)
		if kind == "g" && name == x.Request.Subject && (!g.Tenants || tenant == x.Request.Tenant) {
			for _, role := range x.Request.Roles {
				found = append(found, step{from: name, to: role})
			}
		}
	}
	return found
}

// matching returns the steps to the names that the role of a step matches as a pattern.
func (x *Explainer) matching(g *policy.Graph, to step, wanted string) []step {
	var found []step
	add := func(name string) {
		if name != to.to && g.Matches(name, to.to) {
			found = append(found, step{to.from, name, to.rule})
		}
	}
	add(wanted)
	for name := range g.Texts() {
		add(name)
	}
	return found
}

func (x *Explainer) trace(came map[string]step, from, to string) []ChainLink {
	var links []ChainLink
	for name := to; name != from; {
		s := came[name]
		link := ChainLink{From: model.Visible(x.shown(s.from)), To: model.Visible(s.to)}
		if s.rule.IsZero() {
			link.Default = !slices.Contains(x.Request.Roles[:x.Credentials], s.to)
		} else {
			written := s.rule.RuleText()
			link.Rule = &written
		}
		links = append(links, link)
		name = s.from
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
