// Package casbinv2 implements the bridge to Casbin v2. Besides the two files of the
// public package that accept its types from applications, it is the only place that
// imports it.
package casbinv2

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules/bridge"
)

// Casbin is Casbin v2.
var Casbin bridge.Casbin = library{}

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

// TenantPatterns returns the fields with these names, whatever the model says.
func (library) TenantPatterns(bridge.Model) (request, policy string) { return "r_dom", "p_dom" }

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
	// Without its own links, Casbin leaves the names of role definitions to
	// functions.
	e.EnableAutoBuildRoleLinks(p.Links == "")
	for name, f := range p.Functions {
		e.AddFunction(name, f)
	}
	e.SetAdapter(loader{load: p.Load})
	if err := e.LoadPolicy(); err != nil {
		return nil, err
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

// Load loads the policy of a model with an adapter, and returns its rows.
func Load(text string, adapter persist.Adapter) (rows [][]string, err error) {
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

// enforcer is an enforcer that the application has made.
type enforcer struct {
	casbin.IEnforcer // called while the lock is held
	lock             *sync.RWMutex
}

// Enforcer adapts e to the bridge. It bypasses the lock of a synced enforcer, since
// the caller holds it, and a read lock must not be taken twice.
func Enforcer(e casbin.IEnforcer) bridge.Enforcer {
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
