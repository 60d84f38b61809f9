package model

import (
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// Matcher is what the model in force compares requests with, for tools that
// make up requests.
type Matcher struct {
	// Text and Effect are the matcher and the policy effect as Casbin has them,
	// such as "r_sub == p_sub".
	Text, Effect string
	// Comparisons are the conditions on one field of a request each, in the
	// order of the matcher, each once. Whether a rule matches depends on a
	// request through them alone if Opaque is empty.
	Comparisons []Comparison
	// Opaque are the other conditions on a request as the model spells them:
	// those that compare two of its fields with each other, that call a function
	// given with [WithFunction], or that compute something.
	Opaque []string
	// RolesTogether is how many conditions on the roles of the subject the matcher
	// combines at most to allow a request or to deny it: 1 for g(r.sub, p.sub), and
	// 2 for g(r.sub, p.sub) && g(r.sub, "staff").
	RolesTogether int
}

// Comparison is one condition of a matcher on one field of a request.
type Comparison struct {
	// Field is the name of the request field, such as "obj".
	Field string
	// Function is the function that compares, such as "keyMatch2", "g" for role
	// links, "==" for equality and "<" for any comparison of order.
	Function string
	// Column is the index of the policy field compared with among
	// [Rule.Fields], and -1 for the constant Text.
	Column int
	Text   string
}

// ReadComparisons is what the matcher compares requests with.
func (s *Schema) ReadComparisons() Matcher {
	r := matcherReader{schema: s, tokens: s.MatcherTokens, made: Matcher{Text: s.Matcher, Effect: s.Effect}}
	for i, t := range r.tokens {
		if _, ok := s.RequestField(t.Text); ok && t.Kind == TokenName {
			r.read(i)
		}
	}
	for _, c := range s.RoleCalls() {
		if c.Field == "r_sub" && c.Column >= 0 {
			r.readNegated(slices.IndexFunc(r.tokens, func(t Token) bool { return t.From == c.at }))
		}
	}
	r.made.RolesTogether = s.rolesTogether(r.tokens)
	return r.made
}

// rolesTogether is [Matcher.RolesTogether] of a part of the matcher.
func (s *Schema) rolesTogether(tokens []Token) int {
	tokens = Unwrap(tokens)
	if len(SplitAt(tokens, "?")) == 1 {
		if sides := SplitAt(tokens, "||"); len(sides) > 1 {
			most := 0
			for _, side := range sides {
				most = max(most, s.rolesTogether(side))
			}
			return most
		}
		if parts := SplitAt(tokens, "&&"); len(parts) > 1 {
			all := 0
			for _, part := range parts {
				all += s.rolesTogether(part)
			}
			return all
		}
	}
	found := 0
	for _, c := range Calls(tokens) {
		if s.Roles[c.Name] != 0 && (c.Arg(0).Text == "r_sub" || c.Arg(1).Text == "r_sub") {
			found++
		}
	}
	return found
}

// matcherReader finds the conditions on request fields in a matcher.
type matcherReader struct {
	schema *Schema
	tokens []Token
	made   Matcher
}

// read notes the condition that the request field at token i stands in.
func (r *matcherReader) read(i int) {
	field := strings.TrimPrefix(r.tokens[i].Text, "r_")
	open := r.enclosing(i)
	if open > 0 && r.tokens[open-1].Kind == TokenName && r.tokens[open-1].Text != "in" {
		r.readArgument(i, open, field)
		return
	}
	if r.is(i+1, "in") && r.is(i+2, "(") {
		for _, arg := range arguments(r.tokens[i+3:]) {
			if len(arg) != 1 || !r.add(field, "==", arg[0]) {
				r.opaque(i)
			}
		}
		return
	}
	function, width := r.operator(i + 1)
	other := i + 1 + width
	if width == 0 {
		other = i - 2
		if function, width = r.operator(i - 1); width == 0 && i > 1 {
			function, width = r.operator(i - 2)
			other = i - 3
		}
	}
	lone := width > 0 && other >= 0 && other < len(r.tokens) &&
		r.ends(min(i, other)-1, true) && r.ends(max(i, other)+1, false)
	if !lone || !r.add(field, function, r.tokens[other]) {
		r.opaque(i)
	}
}

// readArgument notes the condition of a call whose parenthesis is at open.
func (r *matcherReader) readArgument(i, open int, field string) {
	name, args := r.tokens[open-1].Text, arguments(r.tokens[open+1:])
	at := slices.IndexFunc(args, func(arg []Token) bool { return len(arg) == 1 && arg[0].From == r.tokens[i].From })
	role := r.schema.Roles[name] != 0
	switch {
	case role && at == 2:
		return // the tenant of role links
	case role && (at == 0 || at == 1) && len(args) > 1 && len(args[1-at]) == 1 && r.add(field, name, args[1-at][0]):
	case at == 0 && len(args) == 2 && slices.Contains(pattern.Aliasable, name) && len(args[1]) == 1 && r.add(field, name, args[1][0]):
	default:
		r.opaque(i)
	}
}

// readNegated notes the call of a role definition at token i if it has to be
// false: each rule may then be about a role of its own that a subject must not
// have, and no few roles are an example of every kind.
func (r *matcherReader) readNegated(i int) {
	end := i + 2
	for depth := 1; depth > 0 && end < len(r.tokens); end++ {
		switch {
		case r.is(end, "("):
			depth++
		case r.is(end, ")"):
			depth--
		}
	}
	negated := r.is(i-1, "!") || !r.ends(i-1, true) || !r.ends(end, false)
	for open := r.enclosing(i); open >= 0; open = r.enclosing(open) {
		negated = negated || r.is(open-1, "!")
	}
	if negated {
		r.opaque(i)
	}
}

// enclosing is the index of the parenthesis that token i stands in, or -1.
func (r *matcherReader) enclosing(i int) int {
	depth := 0
	for i--; i >= 0; i-- {
		switch {
		case r.is(i, ")"):
			depth++
		case r.is(i, "(") && depth == 0:
			return i
		case r.is(i, "("):
			depth--
		}
	}
	return -1
}

// is reports whether token i is text outside a string.
func (r *matcherReader) is(i int, text string) bool {
	return i >= 0 && i < len(r.tokens) && r.tokens[i].Kind != TokenString && r.tokens[i].Text == text
}

// operator is what a comparison by the operator at token i is called, and how
// many tokens the operator has; none for what does not compare.
func (r *matcherReader) operator(i int) (function string, width int) {
	if i < 0 || i >= len(r.tokens) || r.tokens[i].Kind != TokenOther {
		return "", 0
	}
	switch r.tokens[i].Text {
	case "==", "!=":
		return "==", 1
	case "=~", "!~":
		return "regexMatch", 1
	case "<=", ">=":
		return "<", 1
	case "<", ">":
		if r.is(i+1, "=") {
			return "<", 2
		}
		return "<", 1
	}
	return "", 0
}

// ends reports whether a comparison can end at token i, which stands in front of
// it or behind it.
func (r *matcherReader) ends(i int, front bool) bool {
	if i < 0 || i >= len(r.tokens) {
		return true
	}
	allowed := []string{"&&", "||", "?", ":", ")"}
	if front {
		allowed = []string{"&&", "||", "?", ":", "(", "!"}
	}
	return slices.ContainsFunc(allowed, func(text string) bool { return r.is(i, text) })
}

// add notes a comparison with a policy field or a constant; false for anything
// else.
func (r *matcherReader) add(field, function string, with Token) bool {
	c := Comparison{Field: field, Function: function, Column: -1}
	switch {
	case with.Kind == TokenString, with.Kind == TokenName && '0' <= with.Text[0] && with.Text[0] <= '9':
		c.Text = with.Text
	case with.Kind == TokenName && r.schema.Column(with.Text) >= 0:
		c.Column = r.schema.Column(with.Text)
	default:
		return false
	}
	if !slices.Contains(r.made.Comparisons, c) {
		r.made.Comparisons = append(r.made.Comparisons, c)
	}
	return true
}

// opaque notes the condition around token i.
func (r *matcherReader) opaque(i int) {
	boundary := func(i int) bool { return r.is(i, "&&") || r.is(i, "||") }
	from, to := i, i+1
	for from > 0 && !boundary(from-1) {
		from--
	}
	for to < len(r.tokens) && !boundary(to) {
		to++
	}
	end := len(r.schema.Matcher)
	if to < len(r.tokens) {
		end = r.tokens[to].From
	}
	text := strings.NewReplacer("r_", "r.", "p_", "p.").Replace(strings.TrimSpace(r.schema.Matcher[r.tokens[from].From:end]))
	if !slices.Contains(r.made.Opaque, text) {
		r.made.Opaque = append(r.made.Opaque, text)
	}
}
