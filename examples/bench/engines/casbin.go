package engines

import (
	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	stringadapter "github.com/casbin/casbin/v2/persist/string-adapter"

	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// enforcer is what Casbin's enforcers share.
type enforcer interface {
	Enforce(values ...any) (bool, error)
	LoadPolicy() error
}

type casbinEngine struct{ enforcer enforcer }

func openCasbin(s *Source) (Engine, error) {
	return open(s, func(m model.Model, a persist.Adapter) (enforcer, error) { return casbin.NewEnforcer(m, a) })
}

func openSynced(s *Source) (Engine, error) {
	return open(s, func(m model.Model, a persist.Adapter) (enforcer, error) { return casbin.NewSyncedEnforcer(m, a) })
}

func openCached(s *Source) (Engine, error) {
	return open(s, func(m model.Model, a persist.Adapter) (enforcer, error) { return casbin.NewCachedEnforcer(m, a) })
}

func openSyncedCached(s *Source) (Engine, error) {
	return open(s, func(m model.Model, a persist.Adapter) (enforcer, error) { return casbin.NewSyncedCachedEnforcer(m, a) })
}

func open(s *Source, with func(model.Model, persist.Adapter) (enforcer, error)) (Engine, error) {
	m, err := model.NewModelFromString(s.Model)
	if err != nil {
		return nil, err
	}
	e, err := with(m, stringadapter.NewAdapter(string(s.csv())))
	if err != nil {
		return nil, err
	}
	return &casbinEngine{e}, nil
}

// NewEnforcer is a Casbin enforcer for middleware of others.
func NewEnforcer(s *Source) (*casbin.Enforcer, error) {
	e, err := openCasbin(s)
	if err != nil {
		return nil, err
	}
	return e.(*casbinEngine).enforcer.(*casbin.Enforcer), nil
}

func (e *casbinEngine) Prepare(q policies.Question) func() (bool, error) {
	return func() (bool, error) { return e.enforcer.Enforce(q.Subject, q.Object, q.Action) }
}

func (e *casbinEngine) Reload() error { return e.enforcer.LoadPolicy() }
