package casbinv3

import (
	"testing"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/casbin/v3/persist"
	"github.com/casbin/casbin/v3/util"

	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
)

// lineAdapter is a policy that Casbin parses itself.
type lineAdapter struct {
	persist.Adapter
	lines []string
}

func (a lineAdapter) LoadPolicy(m model.Model) error {
	for _, line := range a.lines {
		if err := persist.LoadPolicyLine(line, m); err != nil {
			return err
		}
	}
	return nil
}

// enforcerOf is an enforcer of Casbin's own.
func enforcerOf(text string, lines ...string) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(text)
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewEnforcer(m, lineAdapter{lines: lines})
	if err != nil {
		return nil, err
	}
	e.EnableAutoSave(false)
	return e, nil
}

// TestDecisionsEqualCasbins runs the suite of bridges with Casbin v3; that with
// v2 is in package casbinrules.
func TestDecisionsEqualCasbins(t *testing.T) {
	decisions := 104_000
	if testing.Short() {
		decisions /= 10
	}
	matchNames := func(o bridgetest.Oracle, kind string, match func(text, pattern string) bool) {
		o.(*casbin.Enforcer).AddNamedMatchingFunc(kind, "", match)
	}
	matchTenants := func(o bridgetest.Oracle, kind string, match func(text, pattern string) bool) {
		o.(*casbin.Enforcer).AddNamedDomainMatchingFunc(kind, "", match)
	}
	limitLink := func(o bridgetest.Oracle, kind, name, role, tenant string, holds func(...string) (bool, error)) {
		if holds == nil {
			holds = util.TimeMatchFunc
		}
		if tenant == "" {
			o.(*casbin.Enforcer).AddNamedLinkConditionFunc(kind, name, role, holds)
		} else {
			o.(*casbin.Enforcer).AddNamedDomainLinkConditionFunc(kind, name, role, tenant, holds)
		}
	}
	bridgetest.Run(t, bridgetest.Major{Casbin: library{}, Decisions: decisions, MatchNames: matchNames, MatchTenants: matchTenants, LimitLink: limitLink, NewOracle: func(text string, policy []string) (bridgetest.Oracle, error) {
		return enforcerOf(text, policy...)
	}})
}
