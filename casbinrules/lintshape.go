package casbinrules

import (
	"slices"
	"strings"
)

// shape is how a matcher compares requests with rules, as far as lint
// understands it.
type shape struct {
	object, action comparison
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

// comparison is how one field of a request is compared with a column.
type comparison struct {
	column int // -1 when there is none, or several
	// function is "==" or a pattern function.
	function string
	// star says that "*" in the column stands for everything.
	star bool
	// alone says that nothing else of the matcher looks at the column, so
	// that one value may stand for another that it covers.
	alone bool
}

// readShape takes the matcher apart into what must hold together. What lint
// does not understand compares equal columns equally, and is left at that.
func (s *schema) readShape() *shape {
	sh := &shape{object: comparison{column: -1}, action: comparison{column: -1}, subject: -1}
	if len(s.subjects) == 1 {
		sh.subject = s.subjects[0]
	}
	for i, t := range s.matcherTokens {
		if t.kind == tokenString {
			sh.strings = append(sh.strings, t.text)
		}
		if i+3 <= len(s.matcherTokens) {
			sh.starred = addColumn(sh.starred, s.starColumn(s.matcherTokens[i:i+3]))
		}
	}
	uses := map[int]int{}
	for _, part := range conjuncts(s.matcherTokens) {
		for _, column := range s.columnsIn(part) {
			uses[column]++
		}
		field, c := s.comparison(part)
		switch field {
		case "r_obj":
			sh.object = c
		case "r_act":
			sh.action = c
		}
	}
	for _, c := range []*comparison{&sh.object, &sh.action} {
		c.alone = c.column >= 0 && uses[c.column] == 1
	}
	for column := range s.columns {
		if uses[column] > 0 && !(sh.object.alone && column == sh.object.column) && !(sh.action.alone && column == sh.action.column) {
			sh.same = append(sh.same, column)
		}
	}
	return sh
}

// columnsIn are the columns that tokens name, each once.
func (s *schema) columnsIn(tokens []token) []int {
	var columns []int
	for _, t := range tokens {
		if t.kind == tokenName {
			columns = addColumn(columns, s.column(t.text))
		}
	}
	return columns
}

// comparison reads one condition as a comparison of a request field with a
// column, or of either with "*" for everything. The field is "" for others.
func (s *schema) comparison(tokens []token) (field string, c comparison) {
	if sides := split(tokens, "||"); len(sides) == 2 {
		for i, side := range sides {
			column := s.starColumn(unwrap(side))
			if field, c = s.comparison(unwrap(sides[1-i])); column >= 0 && field != "" && c.column == column {
				c.star = true
				return field, c
			}
		}
		return "", comparison{column: -1}
	}
	if len(tokens) == 3 && tokens[1].kind == tokenOther && (tokens[1].text == "==" || tokens[1].text == "=~") {
		return s.operator(tokens)
	}
	if found := calls(tokens); len(found) == 1 && tokens[0].text == found[0].name && len(found[0].args) == 2 && isClosed(tokens[1:]) {
		if slices.Contains(patternFunctions, found[0].name) {
			return found[0].arg(0).text, comparison{column: s.column(found[0].arg(1).text), function: found[0].name}
		}
	}
	return "", comparison{column: -1}
}

func (s *schema) operator(tokens []token) (field string, c comparison) {
	left, right := tokens[0], tokens[2]
	function := "=="
	if tokens[1].text == "=~" {
		function = "regexMatch"
	} else if strings.HasPrefix(left.text, "p_") {
		left, right = right, left
	}
	if left.kind != tokenName || right.kind != tokenName || !strings.HasPrefix(left.text, "r_") {
		return "", comparison{column: -1}
	}
	return left.text, comparison{column: s.column(right.text), function: function}
}

// starColumn is the column that tokens compare with "*", or -1.
func (s *schema) starColumn(tokens []token) int {
	if len(tokens) != 3 || tokens[1].text != "==" {
		return -1
	}
	left, right := tokens[0], tokens[2]
	if left.kind == tokenString {
		left, right = right, left
	}
	if left.kind != tokenName || right.kind != tokenString || right.text != "*" {
		return -1
	}
	return s.column(left.text)
}

// conjuncts are the conditions that && joins. What binds weaker than && keeps
// all together.
func conjuncts(tokens []token) [][]token {
	tokens = unwrap(tokens)
	for _, weaker := range []string{"||", "?", ":", ","} {
		if len(split(tokens, weaker)) > 1 {
			return [][]token{tokens}
		}
	}
	parts := split(tokens, "&&")
	if len(parts) == 1 {
		return parts
	}
	var all [][]token
	for _, part := range parts {
		all = append(all, conjuncts(part)...)
	}
	return all
}

// split cuts tokens at an operator outside parentheses.
func split(tokens []token, operator string) [][]token {
	var parts [][]token
	depth, start := 0, 0
	for i, t := range tokens {
		if t.kind != tokenOther {
			continue
		}
		switch t.text {
		case "(":
			depth++
		case ")":
			depth--
		case operator:
			if depth == 0 {
				parts = append(parts, tokens[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, tokens[start:])
}

// unwrap takes off parentheses around all of tokens.
func unwrap(tokens []token) []token {
	for isClosed(tokens) {
		tokens = tokens[1 : len(tokens)-1]
	}
	return tokens
}

// isClosed reports whether the first token opens a parenthesis that the last
// one closes.
func isClosed(tokens []token) bool {
	depth := 0
	for i, t := range tokens {
		if t.kind == tokenOther {
			switch t.text {
			case "(":
				depth++
			case ")":
				depth--
			}
		}
		if depth == 0 {
			return i > 0 && i == len(tokens)-1
		}
	}
	return false
}

// value is what a rule has in a column, or "".
func value(r *rule, column int) string {
	if column < 0 {
		return ""
	}
	return r.field(column)
}
