package casbinrules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/govaluate"
)

// WithFunction gives the matcher a function of that name, which takes texts and
// says true or false:
//
//	m = g(r.sub, p.sub) && r.obj == p.obj && shareWord(r.teams, p.teams)
//
// A name that the model calls and no option gives refuses the model when it is
// opened; one that it does not call is not used. Casbin's own functions, and
// names that look like role definitions, cannot be replaced.
//
// f must be safe for concurrent use, and quick: it is called for each rule that
// comes into question. It must answer the same for the same arguments as long
// as the policy is in force: how often it is called, and for which rules, is
// not said. It is not called while a policy is loaded. An error, or a panic,
// refuses the request with 500, whatever other rules say; it is a
// [*core.InternalError] that wraps f's.
//
// Models that call f are decided by Casbin's enforcer, rule by rule, and not
// from an index: an index calls functions for other rules than Casbin does, so
// that an error would come at other requests.
func WithFunction(name string, f func(args ...string) (bool, error)) Option {
	return func(c *config) error {
		switch {
		case !isWord(name):
			return fmt.Errorf("function: %q is no name", name)
		case isReserved(name):
			return fmt.Errorf("function %s: the name has a meaning already", name)
		case f == nil:
			return fmt.Errorf("function %s is nil", name)
		case c.functions[name] != nil || c.aliases[name] != "":
			return fmt.Errorf("function %s: given twice", name)
		}
		if c.functions == nil {
			c.functions = map[string]matcherFunction{}
		}
		c.functions[name] = f
		return nil
	}
}

// isReserved reports whether a name means something in matchers already.
func isReserved(name string) bool {
	known := model.LoadFunctionMap()
	return known.GetFunctions()[name] != nil || slices.Contains([]string{"g", "eval", "in", "IN", "true", "false"}, name) ||
		isRoleKey(name) || strings.HasPrefix(name, "r_") || strings.HasPrefix(name, "p_")
}

// WithFunctionAlias gives one of Casbin's functions a second name, for a model
// that calls it by the name under which an application has registered it:
//
//	m = g(r.sub, p.sub) && globOrRegexMatch(r.obj, p.obj) && r.act == p.act
//
// is, with WithFunctionAlias("globOrRegexMatch", "globMatch"), what it is with
// globMatch written there: patterns are checked when the policy is loaded, and
// findings, explanations and the index know the function. builtin is one of
// [AliasableFunctions]. A name that the model does not call is not used.
func WithFunctionAlias(name, builtin string) Option {
	return func(c *config) error {
		switch {
		case !isWord(name):
			return fmt.Errorf("function alias: %q is not a name", name)
		case isReserved(name):
			return fmt.Errorf("function alias %s: the name has a meaning already", name)
		case !slices.Contains(aliasableFunctions, builtin):
			return fmt.Errorf("function alias %s: there is no function %q: use one of %s", name, builtin, strings.Join(aliasableFunctions, ", "))
		case c.functions[name] != nil || c.aliases[name] != "":
			return fmt.Errorf("function alias %s: the function is given twice", name)
		}
		if c.aliases == nil {
			c.aliases = map[string]string{}
		}
		c.aliases[name] = builtin
		return nil
	}
}

// AliasableFunctions are the functions of Casbin that compare a text with a
// pattern, sorted.
func AliasableFunctions() []string { return slices.Clone(aliasableFunctions) }

// withoutAliases is a matcher with Casbin's own names in place of aliases.
func (c *settings) withoutAliases(matcher string) string {
	if len(c.aliases) == 0 {
		return matcher
	}
	tokens, err := lex(matcher)
	if err != nil {
		return matcher // refused by whoever reads it
	}
	var b strings.Builder
	from := 0
	for i, t := range tokens {
		isCall := t.kind == tokenName && i+1 < len(tokens) && tokens[i+1].kind == tokenOther && tokens[i+1].text == "("
		if builtin := c.aliases[t.text]; isCall && builtin != "" {
			b.WriteString(matcher[from:t.from] + builtin)
			from = t.from + len(t.text)
		}
	}
	b.WriteString(matcher[from:])
	return b.String()
}

type matcherFunction func(args ...string) (bool, error)

// functionError is the failure of a function that an option gave. Casbin hands
// it on as it is.
type functionError struct {
	name string
	err  error
}

func (e *functionError) Error() string { return "function " + e.name + ": " + e.err.Error() }
func (e *functionError) Unwrap() error { return e.err }

// matcherFunctions are Casbin's functions and those of the options.
func (c *settings) matcherFunctions() map[string]govaluate.ExpressionFunction {
	known := model.LoadFunctionMap()
	functions := known.GetFunctions()
	maps.Copy(functions, c.ownFunctions())
	return functions
}

// ownFunctions are those of the options as the expression library calls them.
func (c *settings) ownFunctions() map[string]govaluate.ExpressionFunction {
	functions := make(map[string]govaluate.ExpressionFunction, len(c.functions))
	for name, f := range c.functions {
		functions[name] = func(args ...any) (any, error) {
			ok, err := f.call(args)
			if err != nil {
				return nil, &functionError{name, err}
			}
			return ok, nil
		}
	}
	return functions
}

func (f matcherFunction) call(args []any) (ok bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			ok, err = false, fmt.Errorf("panic: %v", v)
		}
	}()
	texts := make([]string, len(args))
	for i, arg := range args {
		text, isText := arg.(string)
		if !isText {
			return false, errors.New("an argument is no text")
		}
		texts[i] = text
	}
	return f(texts...)
}
