package casbinrules

import (
	"maps"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/constant"
)

// checkPolicy checks what only the whole policy shows; file is the first one.
func (r *policyReader) checkPolicy(file string, c *settings) {
	if !c.emptyPolicy && r.errors == 0 && !slices.ContainsFunc(r.rules, (*rule).isPolicy) {
		r.report(file, 1, 1, codeEmptyPolicy, "add one, or say WithEmptyPolicy", "the policy has no p line, and would refuse everything")
	}
	if c.rolePrefix == "" || !r.namesRoles {
		return
	}
	for _, made := range r.rules {
		if !made.isLink() {
			continue
		}
		if role := made.field(1); !strings.HasPrefix(role, c.rolePrefix) {
			r.reportRule(made, 2, codeRolePrefix, "write "+c.rolePrefix+role, "role %q does not begin with the prefix %q", role, c.rolePrefix)
		}
	}
}

// checkRoles reports cycles and chains that Casbin would not follow.
func (r *policyReader) checkRoles(graphs map[string]*graph) {
	seen := map[int32]*linkChecker{}
	tree := r.schema.effect == constant.SubjectPriorityEffect
	for kind, g := range graphs {
		if c := newLinkChecker(g, r.rules, kind, r.config.pace); c != nil && (tree || c.chained) {
			seen[r.texts.known(kind)] = c
		}
	}
	if len(seen) == 0 {
		return
	}
	for _, made := range r.rules {
		c := seen[made.numbers()[0]]
		if c == nil {
			continue
		}
		from, to := c.graph.pairs(made)
		if tree && made.isLink() && len(c.up[from]) > 0 {
			r.reportRule(made, 1, codeTree, "give each name one role",
				"%q has a second role, and how Casbin then sorts by subject priority is chance", c.name(from))
		}
		if !tree && !c.isGiven(from) {
			continue // Nothing leads back to it.
		}
		if way := c.add(from, to); way != nil {
			code := codeCycle
			if tree {
				code = codeTree // Casbin hangs on a circle.
			}
			r.reportRule(made, 0, code, "remove one of the links", "the link closes a circle of roles: %s", strings.Join(way, " → "))
		}
	}
	r.checkDepth(seen)
}

// checkDepth reports chains from names that are no role of others.
func (r *policyReader) checkDepth(seen map[int32]*linkChecker) {
	maps.DeleteFunc(seen, func(_ int32, c *linkChecker) bool { return !c.graph.cut() })
	if len(seen) == 0 {
		return
	}
	type chains struct{ kind, tenant int32 }
	told := map[chains]bool{}
	for _, made := range r.rules {
		c := seen[made.numbers()[0]]
		if c == nil {
			continue
		}
		from, _ := c.graph.pairs(made)
		id := chains{made.numbers()[0], from.tenant}
		if cut := c.graph.of(from).cut; cut != "" && !told[id] && !c.isGiven(from) {
			told[id] = true
			r.reportRule(made, 0, codeDeep, "link closer to the role that is meant",
				"%q is more than %d role links away from %q, and Casbin follows no more", cut, maxLinks, c.name(from))
		}
	}
}

// cut reports whether some chain is too long.
func (g *graph) cut() bool {
	return slices.ContainsFunc(g.closures, func(c *closure) bool { return c != nil && c.cut != "" })
}

// linkChecker takes role links one by one and tells when one closes a circle.
type linkChecker struct {
	graph *graph
	// given is how many lines give a name to others as a role, by node, without
	// those that close a circle.
	given []int32
	// chained says that some role has roles itself, without which there are
	// neither circles nor chains.
	chained bool
	up      map[pair][]pair
}

// newLinkChecker is for the g lines of a kind; nil when there are none.
func newLinkChecker(g *graph, rules []*rule, kind string, pace *pace) *linkChecker {
	if g.texts == nil {
		return nil
	}
	c := &linkChecker{graph: g, given: make([]int32, len(g.byNode)), up: map[pair][]pair{}}
	number := g.texts.known(kind)
	for _, r := range rules {
		if r.numbers()[0] != number {
			continue
		}
		pace.step()
		_, to := g.pairs(r)
		if n := g.nodes.find(to); n >= 0 {
			c.given[n]++
			c.chained = c.chained || g.byNode[n] != 0
		}
	}
	return c
}

func (c *linkChecker) name(p pair) string { return c.graph.texts.text(p.name) }

// isGiven reports whether a name with roles is given to others by a line that
// closes no circle.
func (c *linkChecker) isGiven(p pair) bool { return c.given[c.graph.nodes.find(p)] > 0 }

// add takes the link unless it closes a circle, whose names it then returns.
func (c *linkChecker) add(from, to pair) []string {
	if from == to || c.isGiven(from) {
		if way := c.way(to, from); way != nil {
			c.given[c.graph.nodes.find(to)]--
			return append([]string{c.name(from)}, way...)
		}
	}
	c.up[from] = append(c.up[from], to)
	return nil
}

// way is the names on a shortest way from one node to another, or nil.
func (c *linkChecker) way(from, to pair) []string {
	came := map[pair]pair{from: from}
	for queue := []pair{from}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		if n == to {
			return c.trace(came, from, to)
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

func (c *linkChecker) trace(came map[pair]pair, from, to pair) []string {
	names := []string{c.name(to)}
	for n := to; n != from; {
		n = came[n]
		names = append(names, c.name(n))
	}
	slices.Reverse(names)
	return names
}
