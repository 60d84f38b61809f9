package engine

import (
	"fmt"
	"maps"
	"math"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// Functions are the functions a matcher may call. They answer as Casbin's own, of
// which those that match patterns compile a regular expression at each call: for an
// explanation, which calls them for each rule, most patterns do without.
func (s *Snapshot) Functions() map[string]govaluate.ExpressionFunction {
	functions := s.Schema.File.Settings.MatcherFunctions()
	builtin := s.Schema.File.Settings.Casbin.Functions()
	for name, match := range builtin {
		builtin[name] = func(args ...any) (any, error) {
			text, ok := arg(args, 0).(string)
			if p, isText := arg(args, 1).(string); ok && isText && len(args) == 2 {
				if matches, sure := pattern.MatchSegments(name, text, p); sure {
					return matches, nil
				}
			}
			return match(args...)
		}
	}
	maps.Copy(functions, rewrittenFunctions(builtin))
	for key, g := range s.Graphs {
		functions[key] = linksFunction(key, g)
	}
	return functions
}

// rewrittenFunctions are those that rewritten matchers call: for values of each
// type, and Casbin's own that match patterns, which are not begun when nobody
// waits for the answer any more.
func rewrittenFunctions(builtin map[string]govaluate.ExpressionFunction) map[string]govaluate.ExpressionFunction {
	functions := map[string]govaluate.ExpressionFunction{}
	for _, name := range pattern.Functions {
		match := builtin[name]
		functions[model.OwnPrefix+name] = func(args ...any) (any, error) {
			with, ok := arg(args, 0).(*requestLinks)
			if !ok {
				return nil, fmt.Errorf("%s is called without arguments", name)
			}
			if text, ok := arg(args, 1).(string); ok && with.of.over(text) {
				return nil, with.of.Ctx.Err()
			}
			return match(args[1:]...)
		}
	}
	for t := model.Number; int(t) < len(model.AttributeTypes); t++ {
		functions[model.ValueFunction(t)] = func(args ...any) (any, error) {
			text, _ := args[0].(string)
			if v, ok := model.ParseValue(t, text); ok {
				return model.Argument(t, v), nil
			}
			switch {
			// An empty policy has a rule of empty fields, which is to match
			// nothing.
			case text == "" && model.IsOrdered(t):
				return math.NaN(), nil
			case text == "":
				return "", nil
			}
			return nil, fmt.Errorf("%q does not read as %s", text, model.DescribeType(t))
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
