package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pace"
)

// CheckPolicy checks the policy as a whole; file is its first file.
func (r *reader) CheckPolicy(file string, c *model.Settings) {
	if !c.EmptyPolicy && r.Errors == 0 && !r.Rules.Some(c.Pace, Rule.IsPolicy) {
		r.report(file, 1, 1, model.CodeEmptyPolicy, "add one, or use WithEmptyPolicy (--allow-empty, empty: true)", "the policy has no p line, and would refuse everything")
	}
	if c.RolePrefix == "" || !r.namesRoles {
		return
	}
	for _, made := range r.Rules.All() {
		if !made.IsLink() {
			continue
		}
		if role := made.Field(1); !strings.HasPrefix(role, c.RolePrefix) {
			r.reportRule(made, 2, model.CodeRolePrefix, "write "+c.RolePrefix+role, "role %q does not begin with the prefix %q", role, c.RolePrefix)
		}
	}
}

// CheckRoles reports cycles of role links, and chains that are too long for Casbin.
func (r *reader) CheckRoles(graphs map[string]*Graph) {
	seen := map[int32]*linkChecker{}
	tree := r.schema.Effect == model.SubjectPriorityEffect
	for kind, g := range graphs {
		if c := newLinkChecker(g, r.Rules, kind, r.settings.Pace); c != nil && (tree || c.chained) {
			seen[r.Texts.Known(kind)] = c
		}
	}
	if len(seen) == 0 {
		return
	}
	for _, made := range r.Rules.All() {
		c := seen[made.Numbers()[0]]
		if c == nil {
			continue
		}
		from, to := c.graph.Pairs(made)
		if tree && made.IsLink() && len(c.up[from]) > 0 {
			r.reportRule(made, 1, model.CodeTree, "give each name one role",
				"%q has a second role, so Casbin's order by subject priority is undefined", c.name(from))
		}
		if !tree && !c.isRole(from) {
			continue // No path leads back to it.
		}
		if cycle := c.add(from, to); cycle != nil {
			code := model.CodeCycle
			if tree {
				code = model.CodeTree // Casbin does not return from a cycle.
			}
			r.reportRule(made, 0, code, "remove one of the links", "the link closes a cycle of roles: %s", strings.Join(cycle, " → "))
		}
	}
	r.checkDepth(seen)
}

// checkDepth reports chains from names that are not roles of others.
func (r *reader) checkDepth(seen map[int32]*linkChecker) {
	maps.DeleteFunc(seen, func(_ int32, c *linkChecker) bool { return !c.graph.exceedsMaxLinks() })
	if len(seen) == 0 {
		return
	}
	type chains struct{ kind, tenant int32 }
	told := map[chains]bool{}
	for _, made := range r.Rules.All() {
		c := seen[made.Numbers()[0]]
		if c == nil {
			continue
		}
		from, _ := c.graph.Pairs(made)
		id := chains{made.Numbers()[0], from.Tenant}
		if cut := c.graph.Of(from).tooFar; cut != "" && !told[id] && !c.isRole(from) {
			told[id] = true
			r.reportRule(made, 0, model.CodeDeep, "link the name more directly to the intended role",
				"%q is more than %d role links away from %q, and Casbin follows no more", cut, MaxLinks, c.name(from))
		}
	}
}

// exceedsMaxLinks reports whether a chain is too long.
func (g *Graph) exceedsMaxLinks() bool {
	return slices.ContainsFunc(g.closures, func(c *Closure) bool { return c != nil && c.tooFar != "" })
}

// linkChecker receives role links one by one and detects when one closes a cycle.
type linkChecker struct {
	graph *Graph
	// assignments is the number of lines that assign a name to others as a role, by
	// node, without those that close a cycle.
	assignments []int32
	// chained reports that a role has roles itself; otherwise there are neither cycles
	// nor chains.
	chained bool
	up      map[Pair][]Pair
}

// newLinkChecker returns a checker for the g lines of a kind; nil if there are none.
func newLinkChecker(g *Graph, rules Rules, kind string, pace *pace.Pace) *linkChecker {
	if g.texts == nil {
		return nil
	}
	c := &linkChecker{graph: g, assignments: make([]int32, len(g.byNode)), up: map[Pair][]Pair{}}
	number := g.texts.Known(kind)
	for _, r := range rules.All() {
		if r.Numbers()[0] != number {
			continue
		}
		pace.Step()
		_, to := g.Pairs(r)
		if n := g.nodes.find(to); n >= 0 {
			c.assignments[n]++
			c.chained = c.chained || g.byNode[n] != 0
		}
	}
	return c
}

func (c *linkChecker) name(p Pair) string { return c.graph.texts.Text(p.Name) }

// isRole reports whether a line that does not close a cycle assigns the name as a
// role.
func (c *linkChecker) isRole(p Pair) bool { return c.assignments[c.graph.nodes.find(p)] > 0 }

// add adds a link. If the link closes a cycle, add returns the names of the cycle
// instead.
func (c *linkChecker) add(from, to Pair) []string {
	if from == to || c.isRole(from) {
		if back := c.path(to, from); back != nil {
			c.assignments[c.graph.nodes.find(to)]--
			return append([]string{c.name(from)}, back...)
		}
	}
	c.up[from] = append(c.up[from], to)
	return nil
}

// path returns the names on a shortest path from one node to another, or nil.
func (c *linkChecker) path(from, to Pair) []string {
	came := map[Pair]Pair{from: from}
	for queue := []Pair{from}; len(queue) > 0; queue = queue[1:] {
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

func (c *linkChecker) trace(came map[Pair]Pair, from, to Pair) []string {
	names := []string{c.name(to)}
	for n := to; n != from; {
		n = came[n]
		names = append(names, c.name(n))
	}
	slices.Reverse(names)
	return names
}
