package model

import (
	"cmp"
	"slices"
)

// Mark is a keyword in place of a subject by which the matcher recognizes special
// lines, as in p.sub == "owner" && r.sub == r.owner, and which another alternative,
// such as g(r.sub, p.sub), nevertheless compares as the name of a subject.
type Mark struct {
	Column int
	Text   string
	// Requires is the condition on requests that those lines are meant to have, and
	// By the comparison by which anybody with that name passes without it.
	Requires, By *Node
}

// maxAlternatives is the maximum number of alternatives of a matcher that are compared.
const maxAlternatives = 64

// Marks returns those of the matcher, each once.
func (s *Schema) Marks() []Mark {
	if s.Tree == nil {
		return nil
	}
	var found []Mark
	ways := s.Tree.alternatives()
	for _, way := range ways {
		for _, n := range way {
			column, text := s.ComparedText(n, "==")
			if !slices.Contains(s.Subjects, column) || slices.ContainsFunc(found, func(m Mark) bool { return m.Column == column && m.Text == text }) {
				continue
			}
			if m, ok := s.mark(ways, column, text); ok {
				found = append(found, m)
			}
		}
	}
	return found
}

// mark finds an alternative that reaches the lines of a keyword with fewer
// conditions than every alternative that tests for the keyword.
func (s *Schema) mark(ways [][]*Node, column int, text string) (m Mark, ok bool) {
	knows := func(way []*Node) bool {
		return slices.ContainsFunc(way, func(n *Node) bool {
			c, t := s.ComparedText(n, "==")
			return c == column && t == text
		})
	}
	for _, other := range ways {
		by := s.reaches(other, column, text)
		if by == nil {
			continue
		}
		m = Mark{Column: column, Text: text, By: by}
		for _, way := range ways {
			if !knows(way) {
				continue
			}
			demand := s.missing(way, other)
			if ok = demand != nil; !ok {
				break
			}
			m.Requires = cmp.Or(m.Requires, demand)
		}
		if ok {
			return m, true
		}
	}
	return Mark{}, false
}

// alternatives returns the conditions of each alternative by which a part of the
// matcher can be true, or nil if there are too many.
func (n *Node) alternatives() [][]*Node {
	n = n.Unwrapped()
	var ways [][]*Node
	switch n.Kind {
	case NodeOr:
		for _, side := range n.Parts {
			ways = append(ways, side.alternatives()...)
		}
	case NodeAnd:
		ways = [][]*Node{nil}
		for _, part := range n.Parts {
			var longer [][]*Node
			for _, more := range part.alternatives() {
				for _, way := range ways {
					longer = append(longer, slices.Concat(way, more))
				}
			}
			if ways = longer; len(ways) > maxAlternatives {
				return nil
			}
		}
	default:
		return [][]*Node{{n}}
	}
	if len(ways) > maxAlternatives {
		return nil
	}
	return ways
}

// ComparedText returns the column that a condition compares with a text by an
// operator, or -1.
func (s *Schema) ComparedText(n *Node, operator string) (column int, text string) {
	if n.Kind != NodeCompare || n.Text != operator {
		return -1, ""
	}
	left, right := n.Parts[0].Unwrapped(), n.Parts[1].Unwrapped()
	if left.Kind == NodeText {
		left, right = right, left
	}
	if right.Kind != NodeText {
		return -1, ""
	}
	return s.Column(left.Name()), right.Text
}

// missing returns the first condition on requests in one alternative that the other
// does not have.
func (s *Schema) missing(way, other []*Node) *Node {
	for _, n := range way {
		same := func(o *Node) bool { return s.Source(o) == s.Source(n) }
		if n.usesRequest("") && !slices.ContainsFunc(other, same) {
			return n
		}
	}
	return nil
}

// reaches returns the condition of an alternative that compares the subject of
// requests with a column that may contain the text.
func (s *Schema) reaches(way []*Node, column int, text string) (by *Node) {
	for _, n := range way {
		negated := n.Kind == NodePrefix && n.Text == "!"
		if negated {
			n = n.Parts[0].Unwrapped()
		}
		if c, other := s.ComparedText(n, "=="); c == column && (other == text) == negated {
			return nil
		}
		if c, other := s.ComparedText(n, "!="); c == column && (other == text) != negated {
			return nil
		}
		if !negated && by == nil && s.comparesSubject(n, column) {
			by = n
		}
	}
	return by
}

// comparesSubject reports whether a condition compares the subject of requests with
// a column.
func (s *Schema) comparesSubject(n *Node, column int) bool {
	if n.Kind != NodeCall && (n.Kind != NodeCompare || n.Text != "==" && n.Text != "=~") {
		return false
	}
	subject := slices.ContainsFunc(n.Parts, func(part *Node) bool { return part.Unwrapped().Name() == "r_sub" })
	return subject && slices.ContainsFunc(n.Parts, func(part *Node) bool {
		return column >= 0 && s.Column(part.Unwrapped().Name()) == column
	})
}
