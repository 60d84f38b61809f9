package engine

import (
	"errors"
	"fmt"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
)

// casbinEngine asks a Casbin enforcer that nobody changes. Casbin's g
// functions are replaced by graphs: they take the links of the request, need
// no lock, and keep nothing, where Casbin's remember every subject ever asked
// about.
type casbinEngine struct {
	enforcer *casbin.Enforcer
	schema   *model.Schema
	linked   bool
	// byField finds a rule by the address of its first field, which Casbin
	// hands back.
	byField map[*string]*policy.Rule
}

func NewCasbinEngine(s *model.Schema, rules []*policy.Rule, graphs map[string]*policy.Graph) (*casbinEngine, error) {
	return newEnforcerEngine(s, rules, graphs, s.File.Settings.OwnFunctions())
}

// newEnforcerEngine is NewCasbinEngine with functions in place of those of the
// options. A model that nothing but Casbin can follow is left to it as it is,
// with role links of Casbin's own.
func newEnforcerEngine(s *model.Schema, rules []*policy.Rule, graphs map[string]*policy.Graph, functions map[string]govaluate.ExpressionFunction) (*casbinEngine, error) {
	m := s.File.Casbin.Copy()
	adapter := NewRuleAdapter(rules)
	e := &casbinEngine{schema: s, linked: s.CasbinOnly == "", byField: adapter.byField}
	if e.linked {
		m["m"]["m"].Value = s.Rewritten(s.Tree)
		m["r"]["r"].Tokens = append(m["r"]["r"].Tokens, model.LinksField)
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	enforcer.EnableAutoSave(false)
	if e.linked {
		// Role links are the graphs'. Without links of its own Casbin leaves the
		// names of role definitions to functions.
		enforcer.EnableAutoBuildRoleLinks(false)
		for key, g := range graphs {
			enforcer.AddFunction(key, linksFunction(g))
		}
		for name, f := range rewrittenFunctions() {
			enforcer.AddFunction(name, f)
		}
	}
	for name, f := range functions {
		enforcer.AddFunction(name, f)
	}
	enforcer.SetAdapter(adapter)
	if err := enforcer.LoadPolicy(); err != nil {
		return nil, err
	}
	e.enforcer = enforcer
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
		// Casbin recovers panics and puts the stack into the error.
		return Answer{}, fmt.Errorf("casbin: %s", model.FirstLine(err))
	}
	a := Answer{Allowed: allowed, By: EngineCasbin}
	if len(explain) > 0 {
		a.Rule = e.byField[&explain[0]]
	}
	return a, nil
}

// ruleAdapter hands rules to Casbin in their order, and notes by which fields
// they are found again.
type ruleAdapter struct {
	rules   []*policy.Rule
	byField map[*string]*policy.Rule
}

var errReadOnly = errors.New("the policy is read from files and not written")

func NewRuleAdapter(rules []*policy.Rule) *ruleAdapter {
	return &ruleAdapter{rules, make(map[*string]*policy.Rule, len(rules))}
}

// LoadPolicy implements persist.Adapter.
func (a *ruleAdapter) LoadPolicy(m casbinmodel.Model) error {
	for _, r := range a.rules {
		values := r.Values()
		if err := persist.LoadPolicyArray(values, m); err != nil {
			return fmt.Errorf("%s: %w", r.Place(), err)
		}
		if r.IsPolicy() {
			a.byField[&values[1]] = r
		}
	}
	return nil
}

// SavePolicy implements persist.Adapter.
func (*ruleAdapter) SavePolicy(casbinmodel.Model) error { return errReadOnly }

// AddPolicy implements persist.Adapter.
func (*ruleAdapter) AddPolicy(string, string, []string) error { return errReadOnly }

// RemovePolicy implements persist.Adapter.
func (*ruleAdapter) RemovePolicy(string, string, []string) error { return errReadOnly }

// RemoveFilteredPolicy implements persist.Adapter.
func (*ruleAdapter) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }
