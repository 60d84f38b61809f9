package casbinrules_test

import (
	"flag"
	"testing"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"
	"github.com/casbin/casbin/v2/util"

	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
)

// decisionsFlag is how many decisions the differential test compares.
var decisionsFlag = flag.Int("decisions", 52_000, "decisions compared with those of Casbin's Enforce")

// lines is a policy that Casbin parses itself.
type lines struct {
	persist.Adapter
	lines []string
}

func (a lines) LoadPolicy(m model.Model) error {
	for _, line := range a.lines {
		if err := persist.LoadPolicyLine(line, m); err != nil {
			return err
		}
	}
	return nil
}

// TestDecisionsEqualCasbins runs the suite of bridges with Casbin v2. The module for v3
// runs it with v3.
func TestDecisionsEqualCasbins(t *testing.T) {
	decisions := *decisionsFlag
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
	bridgetest.Run(t, bridgetest.Major{Casbin: casbinv2.Casbin, Decisions: decisions, MatchNames: matchNames, MatchTenants: matchTenants, LimitLink: limitLink, NewOracle: func(text string, policy []string) (bridgetest.Oracle, error) {
		m, err := model.NewModelFromString(text)
		if err != nil {
			return nil, err
		}
		e, err := casbin.NewEnforcer(m, lines{lines: policy})
		if err != nil {
			return nil, err
		}
		e.EnableAutoSave(false)
		return e, nil
	}})
}
