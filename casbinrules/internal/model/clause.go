package model

import (
	"slices"
	"strings"
)

// FreeClause is an alternative of the matcher that ignores fields that other
// alternatives compare, such as r.sub == "root" beside a comparison of subjects: it
// makes lines apply to any subject.
type FreeClause struct {
	Node *Node
	// Whole reports that it is an alternative to the whole matcher and uses no field
	// of a line.
	Whole bool
	// ignored are the fields that others compare and it ignores.
	ignored []string
}

// Effect says which lines apply if the clause is true.
func (c FreeClause) Effect() string {
	if c.Whole {
		return "every line counts for every request"
	}
	return "lines count whatever their " + strings.Join(c.ignored, " and ") + " may be"
}

// FreeClauses returns the free clauses of the matcher.
func (s *Schema) FreeClauses() []FreeClause {
	if s.Tree == nil {
		return nil
	}
	return s.appendFreeClauses(nil, s.Tree, true)
}

func (s *Schema) appendFreeClauses(found []FreeClause, n *Node, whole bool) []FreeClause {
	n = n.Unwrapped()
	if n.Kind == NodeAnd {
		for _, part := range n.Parts {
			found = s.appendFreeClauses(found, part, false)
		}
	}
	if n.Kind != NodeOr {
		return found
	}
	compared := s.ColumnsIn(n)
	if len(compared) == 1 && compared[0] == s.Eft {
		return found // it determines to which requests denies apply
	}
	bySubject := s.hasSubject(compared)
	for _, side := range n.Parts {
		columns := s.ColumnsIn(side)
		free := len(columns) == 0 && len(compared) > 0
		if side.usesRequest("") && (free || bySubject && !s.hasSubject(columns) && !slices.Contains(columns, s.Eft)) {
			c := FreeClause{Node: side, Whole: whole && free}
			for _, column := range compared {
				if !slices.Contains(columns, column) {
					c.ignored = append(c.ignored, s.Columns[column])
				}
			}
			found = append(found, c)
			continue
		}
		found = s.appendFreeClauses(found, side, false)
	}
	return found
}

// LineConditions returns the conditions that must all be true for a line to count for
// a request. Where the matcher has alternatives, all are those that each of them has,
// and either holds the others of each alternative. Alternatives that use no field of a
// line, such as r.sub == "root", are left out: where they are true, every line counts.
func (s *Schema) LineConditions() (all []*Node, either [][]*Node) {
	alternatives := s.appendAlternatives(nil, s.Tree)
	if len(alternatives) == 0 {
		return s.Tree.Conjuncts(), nil
	}
	in := map[string]int{} // in how many alternatives a condition is
	for _, a := range alternatives {
		told := map[string]bool{}
		for _, n := range a.Conjuncts() {
			if text := s.Source(n); !told[text] {
				told[text] = true
				in[text]++
			}
		}
	}
	for i, a := range alternatives {
		var others []*Node
		for _, n := range a.Conjuncts() {
			switch {
			case in[s.Source(n)] < len(alternatives):
				others = append(others, n)
			case i == 0:
				all = append(all, n)
			}
		}
		either = append(either, others)
	}
	if slices.ContainsFunc(either, func(others []*Node) bool { return len(others) == 0 }) {
		either = nil // all of the others follow from the alternative without any
	}
	return all, either
}

// appendAlternatives appends the alternatives to the whole matcher that use a field of
// a line.
func (s *Schema) appendAlternatives(found []*Node, n *Node) []*Node {
	if n == nil {
		return found
	}
	if or := n.Unwrapped(); or.Kind == NodeOr {
		for _, side := range or.Parts {
			found = s.appendAlternatives(found, side)
		}
		return found
	}
	if len(s.ColumnsIn(n)) > 0 {
		found = append(found, n)
	}
	return found
}

// OpenClauses returns the alternatives to the whole matcher that use a line and, of
// the request, at most its action, while others use more; and those that seem to
// continue the alternative before them, as r.act == "PUT" does in
//
//	r.sub == p.sub && r.act == "GET" || r.act == "PUT"
func (s *Schema) OpenClauses() []*Node {
	if s.Tree == nil || !usesMoreThanAction(s.Tree) {
		return nil
	}
	return s.appendOpenClauses(nil, s.Tree)
}

func (s *Schema) appendOpenClauses(found []*Node, n *Node) []*Node {
	if n = n.Unwrapped(); n.Kind != NodeOr {
		return found
	}
	for i, side := range n.Parts {
		if len(s.ColumnsIn(side)) > 0 && !usesMoreThanAction(side) || i > 0 && continues(n.Parts[i-1], side) {
			found = append(found, side)
			continue
		}
		found = s.appendOpenClauses(found, side)
	}
	return found
}

// continues reports whether side lists values of one field of the request, and the last
// of the conditions before it lists others.
func continues(before, side *Node) bool {
	field := choice(side)
	return before.Kind == NodeAnd && field != "" && choice(before.Parts[len(before.Parts)-1]) == field
}

// choice returns the field of the request of which a part lists values by == and in, and
// does nothing else; otherwise "".
func choice(n *Node) string {
	field := ""
	for part := range n.All() {
		switch part.Kind {
		case NodeCompare:
			if part.Text != "==" && part.Text != "in" {
				return ""
			}
		case NodeName:
			if field != "" && part.Text != field {
				return ""
			}
			field = part.Text
		case NodeText, NodeGroup, NodeOr, NodeList:
		default:
			return ""
		}
	}
	if !strings.HasPrefix(field, "r_") {
		return ""
	}
	return field
}

// usesMoreThanAction reports whether a part of the matcher uses more of the request
// than its action.
func usesMoreThanAction(n *Node) bool { return n.usesRequest("r_act") }

// hasSubject reports whether columns contain one that is compared with the subject
// of requests.
func (s *Schema) hasSubject(columns []int) bool {
	return slices.ContainsFunc(columns, func(column int) bool { return slices.Contains(s.Subjects, column) })
}

// usesRequest reports whether a part of the matcher uses a field of the request other
// than one.
func (n *Node) usesRequest(but string) bool {
	for part := range n.All() {
		if name := part.Name(); strings.HasPrefix(name, "r_") && name != but {
			return true
		}
	}
	return false
}

// Source returns a part of the matcher as written in model files.
func (s *Schema) Source(n *Node) string {
	return sourceForm(s.Matcher[s.tokens[n.first].from:s.tokens[n.end-1].to])
}
