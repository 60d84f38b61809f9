package model

import (
	"fmt"
	"iter"
	"slices"
)

// NodeKind is the kind of a part of a matcher.
type NodeKind uint8

const (
	NodeName    NodeKind = iota + 1 // a field of the request or of the policy
	NodeText                        // a constant in quotes
	NodeNumber                      // a constant
	NodeBool                        // true or false
	NodeCall                        // parts are the arguments
	NodeGroup                       // a part in parentheses
	NodePrefix                      // a value after "!", "-" or "~"
	NodeCompute                     // two values and an operator such as "+"
	NodeCompare                     // two values and a comparator such as "==", "=~" or "in"
	NodeAnd                         // parts joined by "&&"
	NodeOr                          // parts joined by "||"
	NodeChoice                      // two values and "?", ":" or "??"
	NodeList                        // values separated by commas
)

// Node is a part of a matcher, with its position.
type Node struct {
	Kind NodeKind
	// Text is the name, the value of a constant, the operator, or the called function.
	Text string
	// token is the index of the token of Text, first that of the first token of the
	// part, and end that after its last.
	token, first, end int
	Parts             []*Node
}

// Name returns the name of a field, or "" for other parts.
func (n *Node) Name() string {
	if n.Kind == NodeName {
		return n.Text
	}
	return ""
}

// isPlain reports whether a part is a single name or constant.
func (n *Node) isPlain() bool { return NodeName <= n.Kind && n.Kind <= NodeBool }

// Arg returns argument i of a call if it is a single name or constant, otherwise a
// part without a kind.
func (n *Node) Arg(i int) *Node {
	if i < len(n.Parts) && n.Parts[i].isPlain() {
		return n.Parts[i]
	}
	return &Node{}
}

// Unwrapped returns a part without surrounding parentheses.
func (n *Node) Unwrapped() *Node {
	for n.Kind == NodeGroup {
		n = n.Parts[0]
	}
	return n
}

// All returns a part and all parts in it, in the order of the text; none for nil.
func (n *Node) All() iter.Seq[*Node] {
	return func(yield func(*Node) bool) { n.walk(yield) }
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if n == nil {
		return true
	}
	if !yield(n) {
		return false
	}
	for _, part := range n.Parts {
		if !part.walk(yield) {
			return false
		}
	}
	return true
}

// calls returns the calls of functions, including nested ones.
func (n *Node) calls() []*Node {
	var found []*Node
	for part := range n.All() {
		if part.Kind == NodeCall {
			found = append(found, part)
		}
	}
	return found
}

// Conjuncts returns the conditions that "&&" joins, to any depth.
func (n *Node) Conjuncts() []*Node {
	if n == nil {
		return nil
	}
	n = n.Unwrapped()
	if n.Kind != NodeAnd {
		return []*Node{n}
	}
	var all []*Node
	for _, part := range n.Parts {
		all = append(all, part.Conjuncts()...)
	}
	return all
}

// matcherError says why a matcher cannot be parsed, and at which token.
type matcherError struct {
	token   int
	message string
}

// treeParser parses the tokens of a matcher by recursive descent, with the
// precedence of Casbin's expression library.
type treeParser struct {
	tokens  []token
	next    int
	problem *matcherError // the first one, which ends the parsing
}

// parseTree returns a matcher as a tree, or why there is none.
func parseTree(tokens []token) (*Node, *matcherError) {
	p := &treeParser{tokens: tokens}
	n := p.list()
	if p.next < len(tokens) {
		p.fail(p.next, "the matcher goes on behind its end")
	}
	if p.problem != nil {
		return nil, p.problem
	}
	return n, nil
}

// fail records the problem and ends the parsing.
func (p *treeParser) fail(token int, format string, args ...any) {
	if p.problem == nil {
		p.problem = &matcherError{token, fmt.Sprintf(format, args...)}
	}
	p.next = len(p.tokens)
}

// take consumes the next token if it is one of these operators.
func (p *treeParser) take(operators ...string) (string, bool) {
	if p.next >= len(p.tokens) {
		return "", false
	}
	t := p.tokens[p.next]
	if t.kind == tokenString || t.kind == tokenName && t.text != "in" || !slices.Contains(operators, t.text) {
		return "", false
	}
	p.next++
	return t.text, true
}

func (p *treeParser) list() *Node   { return p.joined(NodeList, ",", p.choice) }
func (p *treeParser) choice() *Node { return p.paired(NodeChoice, p.or, "?", ":", "??") }
func (p *treeParser) or() *Node     { return p.joined(NodeOr, "||", p.and) }
func (p *treeParser) and() *Node    { return p.joined(NodeAnd, "&&", p.comparison) }

func (p *treeParser) comparison() *Node {
	return p.paired(NodeCompare, func() *Node { return p.computed(0) }, "==", "!=", "<", "<=", ">", ">=", "=~", "!~", "in")
}

// modifiers are the operators of each level, the loosest first.
var modifiers = [][]string{{"^", "&", "|"}, {">>", "<<"}, {"+", "-"}, {"*", "/", "%"}, {"**"}}

func (p *treeParser) computed(level int) *Node {
	if level == len(modifiers) {
		return p.value()
	}
	return p.paired(NodeCompute, func() *Node { return p.computed(level + 1) }, modifiers[level]...)
}

// joined parses parts separated by an operator, which become one node.
func (p *treeParser) joined(kind NodeKind, operator string, part func() *Node) *Node {
	first := part()
	n := &Node{Kind: kind, Text: operator, token: p.next, first: first.first, Parts: []*Node{first}}
	for {
		if _, ok := p.take(operator); !ok {
			break
		}
		n.Parts = append(n.Parts, part())
	}
	if n.end = p.next; len(n.Parts) == 1 {
		return first
	}
	return n
}

// paired parses parts separated by operators, each of which has everything before
// it as its left side.
func (p *treeParser) paired(kind NodeKind, part func() *Node, operators ...string) *Node {
	left := part()
	for {
		at := p.next
		operator, ok := p.take(operators...)
		if !ok {
			return left
		}
		right := part()
		left = &Node{Kind: kind, Text: operator, token: at, first: left.first, end: p.next, Parts: []*Node{left, right}}
	}
}

func (p *treeParser) value() *Node {
	at := p.next
	n := &Node{token: at, first: at}
	if at >= len(p.tokens) {
		p.fail(at, "the matcher ends where a value is expected")
		return n
	}
	t := p.tokens[at]
	n.Text = t.text
	p.next++
	switch {
	case t.kind == tokenString:
		n.Kind = NodeText
	case t.kind == tokenName:
		p.name(n)
	case t.text == "(":
		n.Kind, n.Parts = NodeGroup, []*Node{p.list()}
		if _, ok := p.take(")"); !ok {
			p.fail(at, "a parenthesis is not closed")
		}
	case t.text == "!", t.text == "-", t.text == "~":
		n.Kind, n.Parts = NodePrefix, []*Node{p.value()}
	default:
		p.fail(at, "%q stands where a value is expected", t.text)
	}
	n.end = p.next
	return n
}

// name parses a field, a number, a truth value or a call.
func (p *treeParser) name(n *Node) {
	switch {
	case isDigits(n.Text[:1]):
		n.Kind = NodeNumber
		return
	case n.Text == "true", n.Text == "false":
		n.Kind = NodeBool
		return
	}
	n.Kind = NodeName
	if _, ok := p.take("("); !ok {
		return
	}
	n.Kind = NodeCall
	for {
		if _, ok := p.take(")"); ok {
			return
		}
		if _, ok := p.take(","); len(n.Parts) > 0 && !ok {
			p.fail(p.next, "the arguments of %s are not separated by commas", n.Text)
			return
		}
		n.Parts = append(n.Parts, p.choice())
		if p.problem != nil {
			return
		}
	}
}
