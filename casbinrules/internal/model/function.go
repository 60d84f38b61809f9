package model

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// IsReserved reports whether a name already has a meaning in matchers.
func IsReserved(name string) bool {
	return slices.Contains(pattern.Builtin, name) || slices.Contains([]string{"g", "eval", "in", "IN", "true", "false"}, name) ||
		isRoleKey(name) || strings.HasPrefix(name, "r_") || strings.HasPrefix(name, "p_")
}

// withoutAliases returns a matcher with aliases replaced by Casbin's own names.
func (c *Settings) withoutAliases(matcher string) string {
	if len(c.Aliases) == 0 {
		return matcher
	}
	tokens, err := lex(matcher)
	if err != nil {
		return matcher // reported when it is parsed
	}
	var b strings.Builder
	from := 0
	for i, t := range tokens {
		isCall := t.kind == tokenName && i+1 < len(tokens) && tokens[i+1].kind == tokenOther && tokens[i+1].text == "("
		if builtin := c.Aliases[t.text]; isCall && builtin != "" {
			b.WriteString(matcher[from:t.from] + builtin)
			from = t.from + len(t.text)
		}
	}
	b.WriteString(matcher[from:])
	return b.String()
}

type MatcherFunction func(args ...string) (bool, error)

// FunctionError is the failure of a function given by an option. Casbin passes it
// on unchanged.
type FunctionError struct {
	name string
	err  error
}

func (e *FunctionError) Error() string { return "function " + e.name + ": " + e.err.Error() }

func (e *FunctionError) Unwrap() error { return e.err }

// MatcherFunctions returns Casbin's functions and those of the options.
func (c *Settings) MatcherFunctions() map[string]govaluate.ExpressionFunction {
	functions := c.Casbin.Functions()
	maps.Copy(functions, c.OwnFunctions())
	return functions
}

// OwnFunctions returns those of the options in the form that the expression library
// calls.
func (c *Settings) OwnFunctions() map[string]govaluate.ExpressionFunction {
	functions := make(map[string]govaluate.ExpressionFunction, len(c.Functions))
	for name, f := range c.Functions {
		functions[name] = func(args ...any) (any, error) {
			ok, err := f.call(args)
			if err != nil {
				return nil, &FunctionError{name, err}
			}
			return ok, nil
		}
	}
	return functions
}

func (f MatcherFunction) call(args []any) (ok bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			ok, err = false, fmt.Errorf("panic: %v", v)
		}
	}()
	texts := make([]string, len(args))
	for i, arg := range args {
		text, isText := arg.(string)
		if !isText {
			return false, errors.New("an argument is not text")
		}
		texts[i] = text
	}
	return f(texts...)
}
