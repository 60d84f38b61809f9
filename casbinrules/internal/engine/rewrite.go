package engine

import (
	"fmt"
	"maps"
	"math"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern"
)

// Functions returns the functions that a matcher may call. Their results are those
// of Casbin's own. Casbin's pattern functions compile a regular expression at each
// call; an explanation calls them for each rule, so most patterns are matched
// without one.
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

// rewrittenFunctions returns the functions that rewritten matchers call: parsers for
// values of each type, and Casbin's pattern functions, which are not called once the
// request has been canceled.
func rewrittenFunctions(builtin map[string]govaluate.ExpressionFunction) map[string]govaluate.ExpressionFunction {
	functions := map[string]govaluate.ExpressionFunction{}
	for _, name := range pattern.Functions {
		match := builtin[name]
		functions[model.OwnPrefix+name] = func(args ...any) (any, error) {
			with, ok := arg(args, 0).(*requestLinks)
			if !ok {
				return nil, fmt.Errorf("%s is called without arguments", name)
			}
			if text, ok := arg(args, 1).(string); ok && with.request.canceled(text) {
				return nil, with.request.Ctx.Err()
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
			// An empty policy has a rule of empty fields, which must match nothing.
			case text == "" && model.IsOrdered(t):
				return math.NaN(), nil
			case text == "":
				return "", nil
			}
			return nil, fmt.Errorf("%q is not %s", text, model.DescribeType(t))
		}
	}
	return functions
}

// arg returns argument i, or nil.
func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}
