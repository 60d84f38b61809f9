package casbinrules

import (
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/constant"
)

// checkPolicy checks what only the whole policy shows; file is the first one.
func (r *policyReader) checkPolicy(file string, c *config) {
	if !c.emptyPolicy && r.errors == 0 && !slices.ContainsFunc(r.rules, func(r *rule) bool { return r.kind() == "p" }) {
		r.report(file, 1, 1, codeEmptyPolicy, "add one, or say AllowEmptyPolicy", "the policy has no p line, and would refuse everything")
	}
	if c.rolePrefix == "" {
		return
	}
	for _, made := range r.rules {
		if role := made.values[min(2, len(made.values)-1)]; made.kind() == "g" && !strings.HasPrefix(role, c.rolePrefix) {
			r.reportRule(made, 2, codeRolePrefix, "write "+c.rolePrefix+role, "role %q does not begin with the prefix %q", role, c.rolePrefix)
		}
	}
}

// checkRoles reports cycles and chains that Casbin would not follow.
func (r *policyReader) checkRoles(graphs map[string]*graph) {
	seen := map[string]*linkChecker{}
	tree := r.schema.effect == constant.SubjectPriorityEffect
	for kind, g := range graphs {
		if tree || g.chained(r.rules, kind) {
			seen[kind] = &linkChecker{up: map[node][]node{}, given: map[node]bool{}}
		}
	}
	for _, made := range r.rules {
		g, c := graphs[made.kind()], seen[made.kind()]
		if c == nil {
			continue
		}
		from, to := g.ends(made)
		if tree && made.kind() == "g" && len(c.up[from]) > 0 {
			r.reportRule(made, 1, codeTree, "give each name one role",
				"%q has a second role, and how Casbin then sorts by subject priority is chance", from.name)
		}
		if way := c.add(from, to); way != nil {
			code := codeCycle
			if tree {
				code = codeTree // Casbin hangs on a circle.
			}
			r.reportRule(made, 0, code, "remove one of the links", "the link closes a circle of roles: %s", strings.Join(way, " → "))
		}
	}
	r.checkDepth(graphs, seen)
}

// checkDepth reports chains from names that are no role of others.
func (r *policyReader) checkDepth(graphs map[string]*graph, seen map[string]*linkChecker) {
	told, deep := map[string]bool{}, map[string]bool{}
	for kind, g := range graphs {
		deep[kind] = g.cut()
	}
	for _, made := range r.rules {
		g, c := graphs[made.kind()], seen[made.kind()]
		if c == nil || !deep[made.kind()] {
			continue
		}
		from, _ := g.ends(made)
		id := made.kind() + "\x00" + from.tenant
		if cut := g.from(from.tenant, from.name).cut; cut != "" && !told[id] && !c.given[from] {
			told[id] = true
			r.reportRule(made, 0, codeDeep, "link closer to the role that is meant",
				"%q is more than %d role links away from %q, and Casbin follows no more", cut, maxLinks, from.name)
		}
	}
}

// chained reports whether some role has roles itself, without which there are
// neither circles nor chains.
func (g *graph) chained(rules []*rule, kind string) bool {
	return slices.ContainsFunc(rules, func(r *rule) bool {
		if r.kind() != kind {
			return false
		}
		_, to := g.ends(r)
		return g.from(to.tenant, to.name) != nil
	})
}

// cut reports whether some chain is too long.
func (g *graph) cut() bool {
	return slices.ContainsFunc(g.closures, func(c *closure) bool { return c.cut != "" })
}

// linkChecker takes role links one by one and tells when one closes a circle.
type linkChecker struct {
	up map[node][]node
	// given are the nodes that are given to others as roles.
	given map[node]bool
}

// add takes the link unless it closes a circle, whose names it then returns.
func (c *linkChecker) add(from, to node) []string {
	if from == to || c.given[from] {
		if way := c.way(to, from); way != nil {
			return append([]string{from.name}, way...)
		}
	}
	c.up[from] = append(c.up[from], to)
	c.given[to] = true
	return nil
}

// way is the names on a shortest way from one node to another, or nil.
func (c *linkChecker) way(from, to node) []string {
	came := map[node]node{from: from}
	for queue := []node{from}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		if n == to {
			return trace(came, from, to)
		}
		for _, next := range c.up[n] {
			if _, seen := came[next]; !seen {
				came[next] = n
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func trace(came map[node]node, from, to node) []string {
	names := []string{to.name}
	for n := to; n != from; {
		n = came[n]
		names = append(names, n.name)
	}
	slices.Reverse(names)
	return names
}
