package model

import (
	"slices"
	"strings"
)

// ColumnsIn are the columns that tokens name, each once.
func (s *Schema) ColumnsIn(tokens []Token) []int {
	var columns []int
	for _, t := range tokens {
		if t.Kind == TokenName {
			columns = AddColumn(columns, s.Column(t.Text))
		}
	}
	return columns
}

// FreeClause is an alternative of the matcher that does not look at what other
// alternatives compare lines by, such as r.sub == "root" beside a comparison of
// subjects: it makes lines count whoever they are for.
type FreeClause struct {
	Text string
	// Whole says that it is an alternative to all of the matcher, and looks at
	// nothing of a line.
	Whole bool
	// over are the fields of lines that others compare and it does not.
	over []string
}

// Effect says which lines count where the clause is true.
func (c FreeClause) Effect() string {
	if c.Whole {
		return "every line counts, whoever and whatever it is for"
	}
	return "lines count whatever their " + strings.Join(c.over, " and ") + " may be"
}

// FreeClauses are those of a matcher, given as text and tokens.
func (s *Schema) FreeClauses(text string, tokens []Token) []FreeClause {
	return s.appendFreeClauses(nil, text, tokens, true)
}

func (s *Schema) appendFreeClauses(found []FreeClause, text string, tokens []Token, whole bool) []FreeClause {
	tokens = Unwrap(tokens)
	if len(SplitAt(tokens, "?")) > 1 || len(SplitAt(tokens, ",")) > 1 {
		return found
	}
	sides := SplitAt(tokens, "||")
	if len(sides) == 1 {
		parts := SplitAt(tokens, "&&")
		for _, part := range parts {
			if len(parts) > 1 || IsClosed(part) {
				found = s.appendFreeClauses(found, text, part, whole && len(parts) == 1)
			}
		}
		return found
	}
	compared := s.ColumnsIn(tokens)
	if len(compared) == 1 && compared[0] == s.Eft {
		return found // it says for whom denies count
	}
	bySubject := s.hasSubject(compared)
	for _, side := range sides {
		columns := s.ColumnsIn(side)
		free := len(columns) == 0 && len(compared) > 0
		if usesRequest(side) && (free || bySubject && !s.hasSubject(columns) && !slices.Contains(columns, s.Eft)) {
			c := FreeClause{Text: sourceOf(text, side), Whole: whole && free}
			for _, column := range compared {
				if !slices.Contains(columns, column) {
					c.over = append(c.over, s.Columns[column])
				}
			}
			found = append(found, c)
			continue
		}
		found = s.appendFreeClauses(found, text, side, false)
	}
	return found
}

// hasSubject reports whether a column that is compared with the subject of
// requests is among columns.
func (s *Schema) hasSubject(columns []int) bool {
	return slices.ContainsFunc(columns, func(column int) bool { return slices.Contains(s.Subjects, column) })
}

// usesRequest reports whether tokens look at the request.
func usesRequest(tokens []Token) bool {
	return slices.ContainsFunc(tokens, func(t Token) bool { return t.Kind == TokenName && strings.HasPrefix(t.Text, "r_") })
}

// sourceOf is the part of a matcher that tokens stand for.
func sourceOf(text string, tokens []Token) string {
	last := tokens[len(tokens)-1]
	end := last.From + len(last.Text)
	if last.Kind == TokenString {
		if _, n, err := lexString(text[last.From:]); err == nil {
			end = last.From + n
		}
	}
	return text[tokens[0].From:end]
}
