package casbinrules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/govaluate"
)

// typedColumn is a field of the policy that holds values of a type.
type typedColumn struct {
	column int
	kind   AttributeType
}

// reportToken reports a finding at a token of the matcher.
func (s *schema) reportToken(token int, code, hint, format string, args ...any) {
	at := s.file.at["m"]
	if places := s.file.tokenPlaces("m"); token < len(places) && len(places) == len(s.matcherTokens) {
		at = places[token]
	}
	s.file.report(at, code, hint, format, args...)
}

// tokenPlaces are where the tokens of a definition stand in the file.
func (f *modelFile) tokenPlaces(key string) []position {
	var places []position
	for i, line := range f.lines[key] {
		text, before := line.text, 0
		if i == 0 {
			before = strings.IndexByte(text, '=') + 1
		}
		text, _, _ = strings.Cut(strings.TrimSuffix(text[before:], `\`), "#")
		tokens, err := lex(text)
		if err != nil {
			return nil // a string goes on in the next line
		}
		for _, t := range tokens {
			places = append(places, position{line.at.line, line.at.column + before + t.from})
		}
	}
	return places
}

// replacement is what stands in place of a part of a matcher.
type replacement struct {
	from, to int
	text     string
}

// valueFunction is the function of rewritten matchers that reads a text as a
// value of a type. No option can give one of its name.
func (t AttributeType) valueFunction() string { return "p__" + t.String() }

// rewritten is the matcher for Casbin's expression library: fields of the policy
// that have a type, and constants that are compared with them, become values of
// that type, and the request itself is the first argument of g, for the role
// links of its credentials, and of functions that match patterns, which take
// long.
func (s *schema) rewritten() string {
	var edits []replacement
	for i, kind := range s.tokenTypes {
		t := s.matcherTokens[i]
		switch {
		case t.kind == tokenString:
			edits = append(edits, replacement{t.from, t.to, kind.constant(t.text)})
		case s.column(t.text) >= 0:
			edits = append(edits, replacement{t.from, t.to, kind.valueFunction() + "(" + t.text + ")"})
		}
	}
	for _, c := range calls(s.matcherTokens) {
		switch {
		case c.name == "g":
			edits = append(edits, replacement{c.open, c.open, linksField + ", "})
		case slices.Contains(patternFunctions, c.name):
			edits = append(edits, replacement{c.at, c.open, "p__" + c.name + "(" + linksField + ", "})
		}
	}
	slices.SortFunc(edits, func(a, b replacement) int { return a.from - b.from })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(s.matcher[at:e.from] + e.text)
		at = e.to
	}
	return b.String() + s.matcher[at:]
}

// constant is a constant of a type as the expression library reads it.
func (t AttributeType) constant(text string) string {
	v, _ := t.read(text) // which the checker has done
	if t.ordered() {
		return strconv.FormatFloat(v.order, 'f', -1, 64)
	}
	return strconv.Quote(v.text)
}

// value is a value of a type as the expression library takes it.
func (t AttributeType) value(v typedValue) any {
	if t.ordered() {
		return v.order
	}
	return v.text
}

// rewrittenFunctions are those that rewritten matchers call: for values of each
// type, and Casbin's own that match patterns, which are not begun when nobody
// waits for the answer any more.
func rewrittenFunctions() map[string]govaluate.ExpressionFunction {
	functions := map[string]govaluate.ExpressionFunction{}
	known := model.LoadFunctionMap()
	builtin := known.GetFunctions()
	for _, name := range patternFunctions {
		match := builtin[name]
		functions["p__"+name] = func(args ...any) (any, error) {
			with, ok := arg(args, 0).(*requestLinks)
			if !ok {
				return nil, fmt.Errorf("%s is called without arguments", name)
			}
			if text, ok := arg(args, 1).(string); ok && with.of.over(text) {
				return nil, with.of.ctx.Err()
			}
			return match(args[1:]...)
		}
	}
	for t := Number; int(t) < len(attributeTypes); t++ {
		functions[t.valueFunction()] = func(args ...any) (any, error) {
			text, _ := args[0].(string)
			if v, ok := t.read(text); ok {
				return t.value(v), nil
			}
			switch {
			// An empty policy has a rule of empty fields, which is to match
			// nothing.
			case text == "" && t.ordered():
				return math.NaN(), nil
			case text == "":
				return "", nil
			}
			return nil, fmt.Errorf("%q does not read as %s", text, t.described())
		}
	}
	return functions
}

// arg is an argument, or nil.
func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}
