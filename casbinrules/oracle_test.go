package casbinrules

import (
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
)

// lineAdapter is a policy that Casbin parses itself.
type lineAdapter struct {
	persist.Adapter
	lines []string
}

func (a lineAdapter) LoadPolicy(m casbinmodel.Model) error {
	for _, line := range a.lines {
		if err := persist.LoadPolicyLine(line, m); err != nil {
			return err
		}
	}
	return nil
}

// oracle asks a new enforcer of Casbin.
func (f family) oracle(t *testing.T, lines []string, p *core.Principal, access core.Access) (bool, []string) {
	t.Helper()
	ok, explain, err := f.enforcer(t, lines, p).EnforceEx(f.Values(p, access)...)
	if err != nil {
		t.Fatalf("casbin: %v", err)
	}
	return ok, explain
}

// enforcer returns an enforcer of Casbin to which the roles of the credentials were added
// as g lines.
func (f family) enforcer(t *testing.T, lines []string, p *core.Principal) *casbin.Enforcer {
	t.Helper()
	m, err := casbinmodel.NewModelFromString(f.Oracle())
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, lineAdapter{lines: lines})
	if err != nil {
		t.Fatal(err)
	}
	e.EnableAutoSave(false)
	addOracles(e)
	for role := range p.CredentialRoles() {
		link := []any{p.ID(), role, p.Tenant()}[:max(f.Roles, 2)]
		if f.Roles > 0 {
			if _, err := e.AddGroupingPolicy(link...); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// addOracles adds functions with which Casbin can compare types other than numbers.
func addOracles(e *casbin.Enforcer) {
	for name, f := range policygen.Functions() {
		e.AddFunction(name, f)
	}
}
