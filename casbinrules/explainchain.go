package casbinrules

import "slices"

// fillChains adds the role links that the matcher follows between the request
// and a rule: for the subject, the object and the action.
func (x *explainer) fillChains(e *Explanation, r *rule) {
	for _, c := range x.snapshot.schema.roleCalls() {
		chain := map[string]*[]ChainLink{"r_sub": &e.Chain, "r_obj": &e.ObjectChain, "r_act": &e.ActionChain}[c.field]
		from, to := x.value(r, c.arg(0)), x.value(r, c.arg(1))
		if chain != nil && *chain == nil && from != "" && to != "" {
			*chain = x.chain(c.name, from, to, x.value(r, c.arg(2)))
		}
	}
}

// value is what an argument of the matcher stands for, or "".
func (x *explainer) value(r *rule, t token) string {
	if column := x.snapshot.schema.column(t.text); column >= 0 {
		return r.field(column)
	}
	switch {
	case t.kind == tokenName && t.text == "r_sub":
		return x.question.subject
	case t.kind == tokenName && t.text == "r_obj":
		return x.question.object
	case t.kind == tokenName && t.text == "r_act":
		return x.question.action
	case x.snapshot.schema.tenants && x.isTenant(t.text):
		return x.question.tenant
	case t.kind == tokenString:
		return t.text
	}
	return ""
}

// isTenant reports whether name is that of the request's tenant.
func (x *explainer) isTenant(name string) bool {
	for i, field := range x.snapshot.schema.request {
		if field == fieldTenant && "r_"+x.snapshot.schema.names("r")[i] == name {
			return true
		}
	}
	return false
}

// chain is a shortest way from a name to a role, along the lines of one kind
// and, for g, the roles of the credentials. It is nil when there is none, or
// when both are the same.
func (x *explainer) chain(kind, from, to, tenant string) []ChainLink {
	g := x.snapshot.graphs[kind]
	came := map[string]step{from: {}}
	for queue, links := []string{from}, 0; len(queue) > 0 && links <= maxLinks; links++ {
		if slices.Contains(queue, to) {
			return x.trace(came, from, to)
		}
		var next []string
		for _, s := range x.steps(g, kind, queue, tenant) {
			if _, seen := came[s.to]; !seen {
				came[s.to] = s
				next = append(next, s.to)
			}
		}
		queue = next
	}
	return nil
}

// step is a role link; rule is nil for a role of the credentials.
type step struct {
	from, to string
	rule     *rule
}

// steps are the links that lead on from names, in the order of the names.
func (x *explainer) steps(g *graph, kind string, names []string, tenant string) []step {
	byName := map[string][]step{}
	for _, r := range x.snapshot.rules {
		if r.kind() != kind {
			continue
		}
		if from, to := g.ends(r); (!g.tenants || from.tenant == tenant) && slices.Contains(names, from.name) {
			byName[from.name] = append(byName[from.name], step{from.name, to.name, r})
		}
	}
	var found []step
	for _, name := range names {
		found = append(found, byName[name]...)
		if kind == "g" && name == x.question.subject && (!g.tenants || tenant == x.question.tenant) {
			for _, role := range x.question.roles {
				found = append(found, step{from: name, to: role})
			}
		}
	}
	return found
}

func (x *explainer) trace(came map[string]step, from, to string) []ChainLink {
	var links []ChainLink
	for name := to; name != from; {
		s := came[name]
		link := ChainLink{From: visible(x.shown(s.from)), To: visible(s.to)}
		if s.rule != nil {
			written := s.rule.written()
			link.Rule = &written
		}
		links = append(links, link)
		name = s.from
	}
	slices.Reverse(links)
	return links
}

// shown is a name as it was asked for.
func (x *explainer) shown(name string) string {
	if name == nobody {
		return x.subject
	}
	return name
}
