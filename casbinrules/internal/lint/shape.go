package lint

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// shape is how a matcher compares requests with rules, as far as lint
// understands it.
type shape struct {
	object, action Comparison
	// subject is the column that names users and roles, or -1.
	subject int
	// same are the columns in which two rules must be equal for lint to say
	// that one matches whatever the other does: all that the matcher names
	// but those of object and action.
	same []int
	// strings are the literal strings of the matcher.
	strings []string
	// starred are the columns that the matcher compares with "*" anywhere.
	starred []int
}

// Comparison is how one field of a request is compared with a column.
type Comparison struct {
	column int // -1 when there is none, or several
	// Function is "==" or a pattern function.
	Function string
	// star says that "*" in the column stands for everything.
	star bool
	// alone says that nothing else of the matcher looks at the column, so
	// that one value may stand for another that it covers.
	alone bool
}

// ReadShape takes the matcher apart into what must hold together. What lint
// does not understand compares equal columns equally, and is left at that.
func ReadShape(s *model.Schema) *shape {
	sh := &shape{object: Comparison{column: -1}, action: Comparison{column: -1}, subject: -1}
	if len(s.Subjects) == 1 {
		sh.subject = s.Subjects[0]
	}
	for i, t := range s.MatcherTokens {
		if t.Kind == model.TokenString {
			sh.strings = append(sh.strings, t.Text)
		}
		if i+3 <= len(s.MatcherTokens) {
			sh.starred = model.AddColumn(sh.starred, starColumn(s, s.MatcherTokens[i:i+3]))
		}
	}
	uses := map[int]int{}
	for _, part := range model.Conjuncts(s.MatcherTokens) {
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

// comparison reads one condition as a comparison of a request field with a
// column, or of either with "*" for everything. The field is "" for others.
func comparison(s *model.Schema, tokens []model.Token) (field string, c Comparison) {
	if sides := model.SplitAt(tokens, "||"); len(sides) == 2 {
		for i, side := range sides {
			column := starColumn(s, model.Unwrap(side))
			if field, c = comparison(s, model.Unwrap(sides[1-i])); column >= 0 && field != "" && c.column == column {
				c.star = true
				return field, c
			}
		}
		return "", Comparison{column: -1}
	}
	if len(tokens) == 3 && tokens[1].Kind == model.TokenOther && (tokens[1].Text == "==" || tokens[1].Text == "=~") {
		return operator(s, tokens)
	}
	if found := model.Calls(tokens); len(found) == 1 && tokens[0].Text == found[0].Name && len(found[0].Args) == 2 && model.IsClosed(tokens[1:]) {
		if slices.Contains(pattern.Functions, found[0].Name) {
			return found[0].Arg(0).Text, Comparison{column: s.Column(found[0].Arg(1).Text), Function: found[0].Name}
		}
	}
	return "", Comparison{column: -1}
}

func operator(s *model.Schema, tokens []model.Token) (field string, c Comparison) {
	left, right := tokens[0], tokens[2]
	function := "=="
	if tokens[1].Text == "=~" {
		function = "regexMatch"
	} else if strings.HasPrefix(left.Text, "p_") {
		left, right = right, left
	}
	if left.Kind != model.TokenName || right.Kind != model.TokenName || !strings.HasPrefix(left.Text, "r_") {
		return "", Comparison{column: -1}
	}
	return left.Text, Comparison{column: s.Column(right.Text), Function: function}
}

// starColumn is the column that tokens compare with "*", or -1.
func starColumn(s *model.Schema, tokens []model.Token) int {
	if len(tokens) != 3 || tokens[1].Text != "==" {
		return -1
	}
	left, right := tokens[0], tokens[2]
	if left.Kind == model.TokenString {
		left, right = right, left
	}
	if left.Kind != model.TokenName || right.Kind != model.TokenString || right.Text != "*" {
		return -1
	}
	return s.Column(left.Text)
}
