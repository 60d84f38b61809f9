package lint

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// shape describes how a matcher compares requests with rules, as far as lint
// understands it.
type shape struct {
	object, action Comparison
	// subject is the column that names users and roles, or -1.
	subject int
	// same are the columns in which two rules must be equal for lint to conclude that
	// one matches everything that the other matches: all that the matcher uses, except
	// those of object and action.
	same []int
	// strings are the literal strings of the matcher.
	strings []string
	// starred are the columns that the matcher compares with "*" in any place.
	starred []int
}

// Comparison is how one field of a request is compared with a column.
type Comparison struct {
	column int // -1 if there is none, or several
	// Function is "==" or a pattern function.
	Function string
	// star reports that "*" in the column matches everything.
	star bool
	// alone reports that nothing else in the matcher uses the column, so that one value
	// may replace another that it covers.
	alone bool
}

// readShape splits the matcher into conditions that must all be true for a line to
// count. For conditions that lint does not understand, and for alternatives, it assumes
// only that equal columns have equal results.
func readShape(s *model.Schema) *shape {
	sh := &shape{object: Comparison{column: -1}, action: Comparison{column: -1}, subject: -1}
	if len(s.Subjects) == 1 {
		sh.subject = s.Subjects[0]
	}
	for n := range s.Tree.All() {
		if n.Kind == model.NodeText {
			sh.strings = append(sh.strings, n.Text)
		}
		sh.starred = model.AddColumn(sh.starred, starColumn(s, n))
	}
	uses := map[int]int{}
	all, either := s.LineConditions()
	for _, part := range slices.Concat(either...) {
		for _, column := range s.ColumnsIn(part) {
			uses[column]++
		}
	}
	for _, part := range all {
		for _, column := range s.ColumnsIn(part) {
			uses[column]++
		}
		field, c := comparison(s, part)
		switch field {
		case "r_obj":
			sh.object = c
		case "r_act":
			sh.action = c
		}
	}
	for _, c := range []*Comparison{&sh.object, &sh.action} {
		c.alone = c.column >= 0 && uses[c.column] == 1
	}
	for column := range s.Columns {
		if uses[column] > 0 && !(sh.object.alone && column == sh.object.column) && !(sh.action.alone && column == sh.action.column) {
			sh.same = append(sh.same, column)
		}
	}
	return sh
}

// comparison returns the comparison in one condition: of a request field with a
// column, or of either with "*" for everything. The field is "" for other
// conditions.
func comparison(s *model.Schema, n *model.Node) (field string, c Comparison) {
	none := Comparison{column: -1}
	switch {
	case n.Kind == model.NodeOr && len(n.Parts) == 2:
		for i, side := range n.Parts {
			column := starColumn(s, side.Unwrapped())
			if field, c = comparison(s, n.Parts[1-i].Unwrapped()); column >= 0 && field != "" && c.column == column {
				c.star = true
				return field, c
			}
		}
	case n.Kind == model.NodeCompare && (n.Text == "==" || n.Text == "=~"):
		left, right, function := n.Parts[0].Name(), n.Parts[1].Name(), "regexMatch"
		if n.Text == "==" {
			function = "=="
			if strings.HasPrefix(left, "p_") {
				left, right = right, left
			}
		}
		if strings.HasPrefix(left, "r_") && right != "" {
			return left, Comparison{column: s.Column(right), Function: function}
		}
	case n.Kind == model.NodeCall && len(n.Parts) == 2 && slices.Contains(pattern.Functions, n.Text):
		return n.Arg(0).Name(), Comparison{column: s.Column(n.Arg(1).Name()), Function: n.Text}
	}
	return "", none
}

// starColumn returns the column that a part of the matcher compares with "*", or -1.
func starColumn(s *model.Schema, n *model.Node) int {
	if column, text := s.ComparedText(n, "=="); text == "*" {
		return column
	}
	return -1
}
