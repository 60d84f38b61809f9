package lsp

import "github.com/sallyport-go/sallyport/casbinrules"

// linked returns the names reachable from name by role links or, with back, those that can
// reach it, nearest first. If links hold patterns, a link also leads from each name that
// its pattern matches. Like Casbin it follows at most ten links.
func (p *policy) linked(domain, tenant, name string, back bool) []string {
	const maxLinks = 10
	if p.schema == nil {
		return nil
	}
	next, patterns := p.links(domain, tenant, back)
	seen := map[string]bool{name: true}
	var all []string
	level := []string{name}
	for depth := 0; len(level) > 0 && depth < maxLinks; depth++ {
		var further []string
		add := func(to string) {
			if !seen[to] {
				seen[to] = true
				further = append(further, to)
			}
		}
		for _, at := range level {
			for _, to := range next[at] {
				add(to)
			}
			for _, l := range patterns {
				if l.from.Matches(at) {
					add(l.to)
				}
			}
		}
		all = append(all, further...)
		level = further
	}
	return all
}

// patternLink is a role link whose origin is a pattern.
type patternLink struct {
	from casbinrules.Pattern
	to   string
}

// links returns the role links of a domain in a tenant, by the name they lead from, and
// separately those that lead from a pattern.
func (p *policy) links(domain, tenant string, back bool) (next map[string][]string, patterns []patternLink) {
	next = map[string][]string{}
	tenants, functions := p.patternsOf(domainTenant), p.rolePatterns()
	for i := range p.rows {
		r := &p.rows[i]
		if len(r.fields) < 3 || !p.schema.isLink(r.kind()) || p.schema.domain(r.kind(), 1) != domain {
			continue
		}
		if t := p.linkTenant(r); tenant != "" && t != "" && t != tenant && !matchesAny(tenants, t, tenant) {
			continue
		}
		from, to := r.text(1), r.text(2)
		if back {
			from, to = to, from
		}
		next[from] = append(next[from], to)
		if function := functions[r.kind()]; function != "" && isPattern(function, from) {
			patterns = append(patterns, patternLink{casbinrules.Pattern{Text: from, Function: function}, to})
		}
	}
	return next, patterns
}

// linkTenant returns the tenant of a role link; "" if it has none.
func (p *policy) linkTenant(r *row) string {
	if p.domain(r, 3) == domainTenant {
		return r.text(3)
	}
	return ""
}

// matchesAny reports whether text, as a pattern of any of the functions, matches name.
func matchesAny(functions []string, text, name string) bool {
	for _, function := range functions {
		if (casbinrules.Pattern{Text: text, Function: function}).Matches(name) {
			return true
		}
	}
	return false
}
