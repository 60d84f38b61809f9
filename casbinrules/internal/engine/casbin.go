package engine

import (
	"errors"
	"fmt"
	"maps"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// casbinEngine decides with a Casbin enforcer that is never modified. Casbin's g
// functions are replaced by graphs, which use the role links of the request, need no
// lock and cache nothing; Casbin's own cache every subject they were ever called
// with.
type casbinEngine struct {
	enforcer bridge.Decider
	schema   *model.Schema
	linked   bool
	rules    policy.Rules
	// byField has the place of a rule by the address of its first field, which Casbin
	// returns.
	byField map[*string]int32
}

func NewCasbinEngine(s *model.Schema, rules policy.Rules, graphs map[string]*policy.Graph) (*casbinEngine, error) {
	return newEnforcerEngine(s, rules, graphs, s.File.Settings.OwnFunctions())
}

// newEnforcerEngine is NewCasbinEngine with functions in place of those of the
// options. A model that only Casbin can evaluate keeps Casbin's own role links.
func newEnforcerEngine(s *model.Schema, rules policy.Rules, graphs map[string]*policy.Graph, functions map[string]govaluate.ExpressionFunction) (*casbinEngine, error) {
	e := &casbinEngine{schema: s, linked: s.CasbinOnly == "", rules: rules, byField: make(map[*string]int32, rules.Len())}
	p := bridge.Policy{Model: s.File.Text, Matcher: s.Matcher, Functions: functions}
	if e.linked {
		p.Matcher, p.Links = s.Rewritten(s.Tree), model.LinksField
		p.Functions = rewrittenFunctions(s.File.Settings.Casbin.Functions())
		for key, g := range graphs {
			p.Functions[key] = linksFunction(key, g)
		}
		maps.Copy(p.Functions, functions)
	}
	p.Matcher = s.OverRules(p.Matcher)
	p.Load = func(add func(rule []string) error) error {
		for i, r := range rules.All() {
			values := r.Values()
			if err := add(values); err != nil {
				return fmt.Errorf("%s: %w", r.Place(), err)
			}
			if r.IsPolicy() {
				e.byField[&values[1]] = int32(i)
			}
		}
		return nil
	}
	var err error
	e.enforcer, err = s.File.Settings.Casbin.NewDecider(p)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (e *casbinEngine) Decide(q *Request) (Answer, error) {
	values := q.Values(e.schema)
	if e.linked {
		values = append(values, q.Links())
	}
	allowed, explain, err := e.enforcer.EnforceEx(values...)
	var failed *model.FunctionError
	if errors.As(err, &failed) {
		return Answer{}, failed
	}
	if err != nil {
		// Casbin recovers from panics and puts the stack trace into the error.
		return Answer{}, fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	a := Answer{Allowed: allowed, By: EngineCasbin}
	if len(explain) > 0 {
		if at, ok := e.byField[&explain[0]]; ok {
			a.Rules, a.Index = &e.rules, at
		}
	}
	return a, nil
}
