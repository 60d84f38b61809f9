package model

import (
	"fmt"
	"iter"
	"slices"
)

// NodeKind is what a part of a matcher is.
type NodeKind uint8

const (
	NodeName    NodeKind = iota + 1 // a field of the request or of the policy
	NodeText                        // a constant in quotes
	NodeNumber                      // a constant
	NodeBool                        // true or false
	NodeCall                        // parts are the arguments
	NodeGroup                       // a part in parentheses
	NodePrefix                      // a value behind "!", "-" or "~"
	NodeCompute                     // two values and an operator such as "+"
	NodeCompare                     // two values and a comparator such as "==", "=~" or "in"
	NodeAnd                         // parts joined by "&&"
	NodeOr                          // parts joined by "||"
	NodeChoice                      // two values and "?", ":" or "??"
	NodeList                        // values separated by commas
)

// Node is a part of a matcher, with its place in it.
type Node struct {
	Kind NodeKind
	// Text is the name, what a constant says, the operator, or the function that
	// is called.
	Text string
	// token is the token that Text is of, First the first one of the part, and
	// End the one behind its last, by their numbers.
	token, first, end int
	Parts             []*Node
}

// Name is the name of a field, or "" for other parts.
func (n *Node) Name() string {
	if n.Kind == NodeName {
		return n.Text
	}
	return ""
}

// isPlain reports whether a part is one name or constant.
func (n *Node) isPlain() bool { return NodeName <= n.Kind && n.Kind <= NodeBool }

// Arg is argument i of a call if it is one name or constant, or a part of no
// kind.
func (n *Node) Arg(i int) *Node {
	if i < len(n.Parts) && n.Parts[i].isPlain() {
		return n.Parts[i]
	}
	return &Node{}
}

// Unwrapped is a part without the parentheses around it.
func (n *Node) Unwrapped() *Node {
	for n.Kind == NodeGroup {
		n = n.Parts[0]
	}
	return n
}

// All are a part and what it is made of, in the order of the text. There are
// none in nil.
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

// calls are the calls of functions, nested ones too.
func (n *Node) calls() []*Node {
	var found []*Node
	for part := range n.All() {
		if part.Kind == NodeCall {
			found = append(found, part)
		}
	}
	return found
}

// Conjuncts are the conditions that "&&" joins, to any depth.
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

// matcherError is why a matcher cannot be parsed, and at which token.
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

// parseTree is a matcher as a tree, or why there is none.
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

// fail notes the problem and has nothing more parsed.
func (p *treeParser) fail(token int, format string, args ...any) {
	if p.problem == nil {
		p.problem = &matcherError{token, fmt.Sprintf(format, args...)}
	}
	p.next = len(p.tokens)
}

// take takes the next token if it is one of these operators.
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

// joined are parts with an operator between them, which make one node.
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

// paired are parts with operators between them, of which each takes all in front
// of it for its left side.
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
		p.fail(at, "the matcher ends where a value was due")
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
		p.fail(at, "%q stands where a value was due", t.text)
	}
	n.end = p.next
	return n
}

// name is a field, a number, a truth value or a call.
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
