package model

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// typedColumn is a field of the policy that holds values of a type.
type typedColumn struct {
	Column int
	Kind   AttributeType
}

// reportToken reports a finding at a token of the matcher.
func (s *Schema) reportToken(token int, code, hint, format string, args ...any) {
	at := s.File.At["m"]
	if places := s.File.tokenPlaces("m"); token < len(places) && len(places) == len(s.tokens) {
		at = places[token]
	}
	s.File.Report(at, code, hint, format, args...)
}

// tokenPlaces returns where the tokens of a definition are in the file.
func (f *File) tokenPlaces(key string) []Position {
	var places []Position
	for i, line := range f.lines[key] {
		text, before := line.text, 0
		if i == 0 {
			before = strings.IndexByte(text, '=') + 1
		}
		text, _, _ = strings.Cut(strings.TrimSuffix(text[before:], `\`), "#")
		tokens, err := lex(text)
		if err != nil {
			return nil // a string continues in the next line
		}
		for _, t := range tokens {
			places = append(places, Position{line.at.Line, line.at.Column + before + t.from})
		}
	}
	return places
}

// replacement is the text that replaces a part of a matcher.
type replacement struct {
	from, to int
	text     string
}

// ValueFunction returns the name of the function in rewritten matchers that parses
// a text as a value of a type.
func ValueFunction(t AttributeType) string { return OwnPrefix + t.String() }

// Rewritten returns a part of the matcher for Casbin's expression library: fields
// of the policy that have a type, and constants that are compared with them, become
// values of that type, and the request itself becomes the first argument of g, for
// the role links of its credentials, of other role links that do not always count,
// and of functions that match patterns, which may be slow.
//
// No name that it adds contains "p_": Casbin evaluates a matcher without that text
// once, and not for each rule.
func (s *Schema) Rewritten(n *Node) string {
	var edits []replacement
	for part := range n.All() {
		kind, typed := s.tokenTypes[part.token]
		t := s.tokens[part.token]
		switch {
		case part.Kind == NodeCall && len(part.Parts) == 0: // it fails when it is reached
		case part.Kind == NodeText && typed:
			edits = append(edits, replacement{t.from, t.to, constantText(kind, t.text)})
		case part.Kind == NodeName && typed && s.Column(t.text) >= 0:
			edits = append(edits, replacement{t.from, t.to, ValueFunction(kind) + "(" + t.text + ")"})
		case part.Kind == NodeCall && (part.Text == "g" || s.Limits[part.Text] > 0):
			open := s.tokens[part.token+1].to
			edits = append(edits, replacement{open, open, LinksField + ", "})
		case part.Kind == NodeCall && slices.Contains(pattern.Functions, part.Text):
			edits = append(edits, replacement{t.from, s.tokens[part.token+1].to, OwnPrefix + part.Text + "(" + LinksField + ", "})
		}
	}
	slices.SortFunc(edits, func(a, b replacement) int { return a.from - b.from })
	var b strings.Builder
	at := s.tokens[n.first].from
	for _, e := range edits {
		b.WriteString(s.Matcher[at:e.from] + e.text)
		at = e.to
	}
	return b.String() + s.Matcher[at:s.tokens[n.end-1].to]
}

// OverRules returns a matcher that Casbin's enforcer is given in place of that of the
// model. The enforcer evaluates a matcher for each rule only if its text contains "p_",
// and otherwise once. In the model, the name of an alias may contain it.
func (s *Schema) OverRules(matcher string) string {
	if strings.Contains(matcher, "p_") || !strings.Contains(s.File.definition("m").Value, "p_") {
		return matcher
	}
	return "'p_' == 'p_' ? (" + matcher + ") : (" + matcher + ")" // whose value need not be true or false
}

// constantText returns a constant of a type as the expression library reads it.
func constantText(t AttributeType, text string) string {
	v, _ := ParseValue(t, text) // the checker has parsed it before
	if IsOrdered(t) {
		return strconv.FormatFloat(v.Order, 'f', -1, 64)
	}
	return strconv.Quote(v.Text)
}

// Argument returns a value of a type as the expression library accepts it.
func Argument(t AttributeType, v Value) any {
	if IsOrdered(t) {
		return v.Order
	}
	return v.Text
}
