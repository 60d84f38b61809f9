package casbinv3

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/casbin/v3/persist"
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
)

// library implements the bridge to Casbin v3.
type library struct{}

func (library) ReadModel(text string) (bridge.Model, error) {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, err
	}
	return definitions(m), nil
}

func (library) Functions() map[string]govaluate.ExpressionFunction {
	known := model.LoadFunctionMap()
	return known.GetFunctions()
}

// TenantPatterns returns the second fields of both definitions, if role links have
// tenants.
func (library) TenantPatterns(m bridge.Model) (request, policy string) {
	r, _ := m.Definition("r")
	p, _ := m.Definition("p")
	for _, key := range m.Keys("g") {
		if g, _ := m.Definition(key); len(g.Tokens) > 2 && len(r.Tokens) > 1 && len(p.Tokens) > 1 {
			return r.Tokens[1], p.Tokens[1]
		}
	}
	return "", ""
}

func (library) NewDecider(p bridge.Policy) (bridge.Decider, error) {
	m, err := model.NewModelFromString(p.Model)
	if err != nil {
		return nil, err
	}
	m["m"]["m"].Value = p.Matcher
	if p.Links != "" {
		m["r"]["r"].Tokens = append(m["r"]["r"].Tokens, p.Links)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	e.EnableAutoSave(false)
	e.EnableAutoBuildRoleLinks(p.Links == "")
	for name, f := range p.Functions {
		e.AddFunction(name, f)
	}
	e.SetAdapter(loader{load: p.Load})
	if err := e.LoadPolicy(); err != nil {
		return nil, err
	}
	if p.Links != "" {
		// Without a role manager, Casbin leaves the names of role definitions to
		// functions.
		for _, a := range e.GetModel()["g"] {
			a.RM, a.CondRM = nil, nil
		}
	}
	return e, nil
}

// loader is an adapter that only loads.
type loader struct {
	persist.Adapter
	load func(add func(rule []string) error) error
}

func (l loader) LoadPolicy(m model.Model) error {
	return l.load(func(rule []string) error { return persist.LoadPolicyArray(rule, m) })
}

// load loads the policy of a model with an adapter, and returns its rows.
func load(text string, adapter persist.Adapter) (rows [][]string, err error) {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, err
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v) // by Casbin itself, for a row without a kind
		}
	}()
	if err := adapter.LoadPolicy(m); err != nil {
		return nil, err
	}
	return bridge.Rows(definitions(m)), nil
}

// definitions is a model of Casbin.
type definitions model.Model

func (m definitions) Definition(key string) (bridge.Definition, bool) {
	section := ""
	if key != "" {
		section = key[:1]
	}
	a := m[section][key]
	if a == nil {
		return bridge.Definition{}, false
	}
	return bridge.Definition{Value: a.Value, Tokens: a.Tokens, Rules: a.Policy}, true
}

func (m definitions) Keys(section string) []string { return slices.Sorted(maps.Keys(m[section])) }

// enforcer is an enforcer that the application has created.
type enforcer struct {
	casbin.IEnforcer // called while the lock is held
	lock             *sync.RWMutex
}

// bridged adapts e to the bridge. It bypasses the lock of a synced enforcer, since
// the caller holds it, and a read lock must not be taken twice.
func bridged(e casbin.IEnforcer) bridge.Enforcer {
	var synced *casbin.SyncedEnforcer
	switch e := e.(type) {
	case *casbin.SyncedEnforcer:
		synced = e
	case *casbin.SyncedCachedEnforcer:
		synced = e.SyncedEnforcer
	case *casbin.DistributedEnforcer:
		synced = e.SyncedEnforcer
	default:
		return enforcer{IEnforcer: e}
	}
	return enforcer{synced.Enforcer, synced.GetLock()}
}

func (e enforcer) Lock() *sync.RWMutex { return e.lock }

func (e enforcer) Model() bridge.Model {
	m := e.GetModel()
	if m == nil {
		return nil
	}
	return definitions(m)
}

func (e enforcer) ImplicitRoles(name string, tenant ...string) ([]string, error) {
	return e.GetRoleManager().GetImplicitRoles(name, tenant...)
}
