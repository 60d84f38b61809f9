package casbinrules

import (
	"slices"
	"strings"
)

// freeClause is an alternative of the matcher that does not look at what other
// alternatives compare lines by, such as r.sub == "root" beside a comparison of
// subjects: it makes lines count whoever they are for.
type freeClause struct {
	text string
	// whole says that it is an alternative to all of the matcher, and looks at
	// nothing of a line.
	whole bool
	// over are the fields of lines that others compare and it does not.
	over []string
}

// effect says which lines count where the clause is true.
func (c freeClause) effect() string {
	if c.whole {
		return "every line counts, whoever and whatever it is for"
	}
	return "lines count whatever their " + strings.Join(c.over, " and ") + " may be"
}

// freeClauses are those of a matcher, given as text and tokens.
func (s *schema) freeClauses(text string, tokens []token) []freeClause {
	return s.appendFreeClauses(nil, text, tokens, true)
}

func (s *schema) appendFreeClauses(found []freeClause, text string, tokens []token, whole bool) []freeClause {
	tokens = unwrap(tokens)
	if len(split(tokens, "?")) > 1 || len(split(tokens, ",")) > 1 {
		return found
	}
	sides := split(tokens, "||")
	if len(sides) == 1 {
		parts := split(tokens, "&&")
		for _, part := range parts {
			if len(parts) > 1 || isClosed(part) {
				found = s.appendFreeClauses(found, text, part, whole && len(parts) == 1)
			}
		}
		return found
	}
	compared := s.columnsIn(tokens)
	if len(compared) == 1 && compared[0] == s.eft {
		return found // it says for whom denies count
	}
	bySubject := s.hasSubject(compared)
	for _, side := range sides {
		columns := s.columnsIn(side)
		free := len(columns) == 0 && len(compared) > 0
		if asksRequest(side) && (free || bySubject && !s.hasSubject(columns) && !slices.Contains(columns, s.eft)) {
			c := freeClause{text: sourceOf(text, side), whole: whole && free}
			for _, column := range compared {
				if !slices.Contains(columns, column) {
					c.over = append(c.over, s.columns[column])
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
func (s *schema) hasSubject(columns []int) bool {
	return slices.ContainsFunc(columns, func(column int) bool { return slices.Contains(s.subjects, column) })
}

// asksRequest reports whether tokens look at the request.
func asksRequest(tokens []token) bool {
	return slices.ContainsFunc(tokens, func(t token) bool { return t.kind == tokenName && strings.HasPrefix(t.text, "r_") })
}

// sourceOf is the part of a matcher that tokens stand for.
func sourceOf(text string, tokens []token) string {
	last := tokens[len(tokens)-1]
	end := last.from + len(last.text)
	if last.kind == tokenString {
		if _, n, err := lexString(text[last.from:]); err == nil {
			end = last.from + n
		}
	}
	return text[tokens[0].from:end]
}
