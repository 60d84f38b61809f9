package model

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// Matcher describes what the model in force compares requests with, for tools that
// generate requests.
type Matcher struct {
	// Text and Effect are the matcher and the policy effect in Casbin's form, such as
	// "r_sub == p_sub".
	Text, Effect string
	// Comparisons are the conditions on single fields of a request, each once, in
	// the order of the matcher, and those on the tenant that role links take from a
	// rule or a text, as in g(r.sub, p.sub, p.dom): there the roles of credentials
	// count for requests in that tenant. If Opaque is empty, whether a rule matches
	// a request depends on them alone.
	Comparisons []Comparison
	// Opaque are the other conditions on a request as written in the model: those that
	// compare two of its fields with each other, call a function given with
	// casbinrules.WithFunction, or compute something.
	Opaque []string
	// RolesTogether is the largest number of conditions on the roles of the subject that
	// the matcher combines to allow or deny a request: 1 for g(r.sub, p.sub), and 2 for
	// g(r.sub, p.sub) && g(r.sub, "staff").
	RolesTogether int
	// OwnRoles reports that role links g decide only by the roles that the subject has in
	// the tenant of the request: each call is like g(r.sub, p.sub), with tenants like
	// g(r.sub, p.sub, r.dom).
	OwnRoles bool
}

// Comparison is one condition of a matcher on one field of a request.
type Comparison struct {
	// Field is the name of the request field, such as "obj".
	Field string
	// Function is the function that compares, such as "keyMatch2", "g" for role
	// links, "==" for equality and "<" for any comparison of order.
	Function string
	// Column is the index of the policy field compared with among
	// [Rule.Fields], and -1 for the constant Text.
	Column int
	Text   string
	// Patterns is the function by which names of role links, and those that are compared
	// with them, are patterns; "" if Function is not one of role links, or the names are
	// not patterns.
	Patterns string
}

// ReadComparisons returns what the matcher compares requests with.
func (s *Schema) ReadComparisons() Matcher {
	r := comparisonReader{schema: s, parents: map[*Node]*Node{}, matcher: Matcher{Text: s.Matcher, Effect: s.Effect}}
	for n := range s.Tree.All() {
		for _, part := range n.Parts {
			r.parents[part] = n
		}
	}
	for n := range s.Tree.All() {
		if _, ok := s.RequestField(n.Name()); ok {
			r.read(n)
		}
		if n.Kind == NodeCall && n.Text == "eval" { // its conditions are in the policy lines
			r.addOpaque(n)
		}
	}
	for _, c := range s.RoleCalls() {
		if tenant := s.TenantName(); c.Text == "g" && tenant != "" && len(c.Parts) == 3 {
			r.readRoleTenant(tenant, c.Parts[2])
		}
		if c.Field == "r_sub" && c.Column >= 0 && r.isNegated(c.Node) {
			// Each rule may exclude a role of its own, so no small set of example
			// roles covers every case.
			r.addOpaque(c.Node)
		}
	}
	if s.Tree != nil {
		r.matcher.RolesTogether = s.rolesTogether(s.Tree)
		r.matcher.OwnRoles = s.CasbinOnly == "" && !slices.ContainsFunc(s.RoleCalls(), func(c RoleCall) bool { return c.Text == "g" && !s.testsOwnRole(c) })
	}
	return r.matcher
}

// rolesTogether is [Matcher.RolesTogether] of a part of the matcher.
func (s *Schema) rolesTogether(n *Node) int {
	n = n.Unwrapped()
	found := 0
	switch n.Kind {
	case NodeOr:
		for _, side := range n.Parts {
			found = max(found, s.rolesTogether(side))
		}
	case NodeAnd:
		for _, part := range n.Parts {
			found += s.rolesTogether(part)
		}
	default:
		for _, c := range n.calls() {
			if s.Roles[c.Text] != 0 && (c.Arg(0).Name() == "r_sub" || c.Arg(1).Name() == "r_sub") {
				found++
			}
		}
	}
	return found
}

// testsOwnRole reports whether a call is about a role of the subject in the tenant of
// the request.
func (s *Schema) testsOwnRole(c RoleCall) bool {
	tenant, ok := s.RequestField(c.Arg(2).Name())
	return c.Field == "r_sub" && !c.Reversed && len(c.Parts) == s.Roles[c.Text] && (len(c.Parts) == 2 || ok && tenant == FieldTenant)
}

// comparisonReader finds the conditions on request fields in a matcher.
type comparisonReader struct {
	schema  *Schema
	parents map[*Node]*Node
	matcher Matcher
}

// read records the condition that contains a request field.
func (r *comparisonReader) read(n *Node) {
	known := false
	switch within := r.parents[n]; {
	case within == nil:
	case within.Kind == NodeCall:
		known = r.readArgument(within, n)
	case within.Kind == NodeCompare && r.isWhole(within):
		known = r.readCompared(within, n)
	}
	if !known {
		r.addOpaque(n)
	}
}

// readCompared records a comparison by an operator. It returns false unless both
// sides are plain values.
func (r *comparisonReader) readCompared(c, n *Node) bool {
	other := c.Parts[1]
	if other == n {
		other = c.Parts[0]
	}
	switch c.Text {
	case "in":
		if other.Kind != NodeGroup || n != c.Parts[0] {
			return false
		}
		for _, item := range other.items() {
			if !r.add(n, "==", item) {
				return false
			}
		}
		return true
	case "==", "!=":
		return r.add(n, "==", other)
	case "=~", "!~":
		return r.add(n, "regexMatch", other)
	}
	return r.add(n, "<", other)
}

// items returns the values of a list in parentheses.
func (n *Node) items() []*Node {
	if inner := n.Parts[0]; inner.Kind == NodeList {
		return inner.Parts
	}
	return n.Parts
}

// readArgument records the condition of a call. It returns false if the call is not
// understood.
func (r *comparisonReader) readArgument(call, n *Node) bool {
	at, count := slices.Index(call.Parts, n), len(call.Parts)
	if r.schema.Roles[call.Text] != 0 {
		if at == 2 {
			return true // the tenant of role links
		}
		if at == 1 && n.Text == "r_sub" {
			return false // compares the subject as a role; example users cannot be generated
		}
		return count > 1 && r.add(n, call.Text, call.Arg(1-at))
	}
	return at == 0 && count == 2 && slices.Contains(pattern.Aliasable, call.Text) && r.add(n, call.Text, call.Arg(1))
}

// isWhole reports whether a part is a condition by itself, not part of a comparison,
// a computation or an argument.
func (r *comparisonReader) isWhole(n *Node) bool {
	within := r.parents[n]
	return within == nil || slices.Contains([]NodeKind{NodeAnd, NodeOr, NodeChoice, NodeGroup}, within.Kind)
}

// isNegated reports whether a condition must be false, or is not a condition by
// itself.
func (r *comparisonReader) isNegated(n *Node) bool {
	if !r.isWhole(n) {
		return true
	}
	for within := r.parents[n]; within != nil; within = r.parents[within] {
		if within.Kind == NodePrefix {
			return true
		}
	}
	return false
}

// add records a comparison with a policy field or a constant. It returns false for
// anything else.
func (r *comparisonReader) add(n *Node, function string, with *Node) bool {
	c := Comparison{Field: strings.TrimPrefix(n.Text, "r_"), Function: function, Column: -1, Patterns: r.schema.RolePatterns(function)}
	switch {
	case with.Kind == NodeText, with.Kind == NodeNumber:
		c.Text = with.Text
	case r.schema.Column(with.Name()) >= 0:
		c.Column = r.schema.Column(with.Name())
	default:
		return false
	}
	if !slices.Contains(r.matcher.Comparisons, c) {
		r.matcher.Comparisons = append(r.matcher.Comparisons, c)
	}
	return true
}

// readRoleTenant records what the tenant of the request is compared with if a role
// call takes its tenant from a rule or a constant, because the roles of credentials
// count in the tenant of the request.
func (r *comparisonReader) readRoleTenant(name string, with *Node) {
	tenant := &Node{Kind: NodeName, Text: "r_" + name}
	if with.Name() != tenant.Text && !r.add(tenant, cmp.Or(r.schema.TenantPatterns("g"), "=="), with) {
		r.addOpaque(with)
	}
}

// addOpaque records the condition that contains a part.
func (r *comparisonReader) addOpaque(n *Node) {
	for within := r.parents[n]; within != nil && within.Kind != NodeAnd && within.Kind != NodeOr; within = r.parents[n] {
		n = within
	}
	if text := r.schema.Source(n); !slices.Contains(r.matcher.Opaque, text) {
		r.matcher.Opaque = append(r.matcher.Opaque, text)
	}
}
