package casbinrules

import (
	"context"
	"errors"
	"fmt"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/core"
)

// question is what an engine is asked.
type question struct {
	// ctx ends the trying of patterns; cut says that it has, so that there is no
	// answer. It is nil where nobody waits for one.
	ctx                             context.Context
	cut                             bool
	subject, tenant, object, action string
	// folded is how many bytes of the object may be in any letter case.
	folded int
	// number is the subject's among the names of the policy, or 0.
	number int32
	// denied is a name by which the subject gets nothing and is denied all the
	// same; asGet says that HEAD is asked about and what GET is denied counts.
	denied       string
	deniedNumber int32
	asGet        bool
	// roles are the roles of the credentials, as the policy spells them. They
	// count as role links of the subject.
	roles []string
	// named says that the action is a name the application gave, no method.
	named bool
	// attributes are the values of the fields that options fill; unfilled is
	// why one of them could not be.
	attributes []typedValue
	unfilled   error
	// otherwise is the reason of a refusal that no rule makes.
	otherwise core.Reason
}

// longText is from which length on, in bytes, matching a pattern takes long
// enough to look first whether anybody still waits for the answer.
const longText = 512

// over reports whether nobody waits for the answer any more, before a pattern is
// matched against a text.
func (q *question) over(text string) bool {
	if len(text) < longText || q == nil || q.ctx == nil || q.ctx.Err() == nil {
		return false
	}
	q.cut = true
	return true
}

// failure is the error of a question that an engine has not answered.
func (q *question) failure(err error) error {
	if q.ctx != nil && q.ctx.Err() != nil {
		return q.ctx.Err()
	}
	return &core.InternalError{Err: err}
}

// answer is what an engine says. rule is the one that decided, nil when none
// did.
type answer struct {
	allowed bool
	rule    *rule
	// place is the rule's, where the engine has it at hand.
	place string
	// spelled is the object that was refused, where it is another than asked for.
	spelled string
	// by is the engine that was asked, if one was.
	by Engine
}

// engine decides questions about one policy. It is safe for concurrent use
// and does not change.
type engine interface {
	decide(q *question) (answer, error)
}

// casbinEngine asks a Casbin enforcer that nobody changes. Casbin's g
// functions are replaced by graphs: they take the links of the request, need
// no lock, and keep nothing, where Casbin's remember every subject ever asked
// about.
type casbinEngine struct {
	enforcer *casbin.Enforcer
	schema   *schema
	linked   bool
	// byField finds a rule by the address of its first field, which Casbin
	// hands back.
	byField map[*string]*rule
}

func newCasbinEngine(s *schema, rules []*rule, graphs map[string]*graph) (*casbinEngine, error) {
	return newEnforcerEngine(s, rules, graphs, s.file.config.ownFunctions())
}

// newEnforcerEngine is newCasbinEngine with functions in place of those of the
// options. A model that nothing but Casbin can follow is left to it as it is,
// with role links of Casbin's own.
func newEnforcerEngine(s *schema, rules []*rule, graphs map[string]*graph, functions map[string]govaluate.ExpressionFunction) (*casbinEngine, error) {
	m := s.file.casbin.Copy()
	adapter := newRuleAdapter(rules)
	e := &casbinEngine{schema: s, linked: s.casbinOnly == "", byField: adapter.byField}
	if e.linked {
		m["m"]["m"].Value = s.rewritten()
		m["r"]["r"].Tokens = append(m["r"]["r"].Tokens, linksField)
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

// values are the request fields as Casbin takes them, with room for one more.
func (q *question) values(s *schema) []any {
	values := make([]any, 0, len(s.request)+1)
	for _, f := range s.request {
		switch f {
		case fieldSubject:
			values = append(values, q.subject)
		case fieldTenant:
			values = append(values, q.tenant)
		case fieldObject:
			values = append(values, q.object)
		case fieldAction:
			values = append(values, q.action)
		default:
			values = append(values, s.typeOf(f).value(q.attribute(f)))
		}
	}
	return values
}

// attribute is the value of a field that an option fills.
func (q *question) attribute(f requestField) typedValue {
	if i := int(f - fieldAttribute); i < len(q.attributes) {
		return q.attributes[i]
	}
	return typedValue{}
}

func (e *casbinEngine) decide(q *question) (answer, error) {
	values := q.values(e.schema)
	if e.linked {
		values = append(values, q.links())
	}
	allowed, explain, err := e.enforcer.EnforceEx(values...)
	var failed *functionError
	if errors.As(err, &failed) {
		return answer{}, failed
	}
	if err != nil {
		// Casbin recovers panics and puts the stack into the error.
		return answer{}, fmt.Errorf("casbin: %s", firstLine(err))
	}
	a := answer{allowed: allowed, by: EngineCasbin}
	if len(explain) > 0 {
		a.rule = e.byField[&explain[0]]
	}
	return a, nil
}

// ruleAdapter hands rules to Casbin in their order, and notes by which fields
// they are found again.
type ruleAdapter struct {
	rules   []*rule
	byField map[*string]*rule
}

var errReadOnly = errors.New("the policy is read from files and not written")

func newRuleAdapter(rules []*rule) *ruleAdapter {
	return &ruleAdapter{rules, make(map[*string]*rule, len(rules))}
}

// LoadPolicy implements persist.Adapter.
func (a *ruleAdapter) LoadPolicy(m model.Model) error {
	for _, r := range a.rules {
		values := r.values()
		if err := persist.LoadPolicyArray(values, m); err != nil {
			return fmt.Errorf("%s: %w", r.place(), err)
		}
		if r.isPolicy() {
			a.byField[&values[1]] = r
		}
	}
	return nil
}

// SavePolicy implements persist.Adapter.
func (*ruleAdapter) SavePolicy(model.Model) error { return errReadOnly }

// AddPolicy implements persist.Adapter.
func (*ruleAdapter) AddPolicy(string, string, []string) error { return errReadOnly }

// RemovePolicy implements persist.Adapter.
func (*ruleAdapter) RemovePolicy(string, string, []string) error { return errReadOnly }

// RemoveFilteredPolicy implements persist.Adapter.
func (*ruleAdapter) RemoveFilteredPolicy(string, string, int, ...string) error { return errReadOnly }
