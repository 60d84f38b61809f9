// Package bridgetest is the suite that every bridge to a major version of Casbin must
// pass: through it casbinrules decides as that version of Casbin itself does, and the
// bridge keeps the contracts of package bridge.
package bridgetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"log/slog"

	"github.com/casbin/govaluate"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
)

// Oracle is one of Casbin's own enforcers, such as a *casbin.Enforcer, that does not
// save its policy.
type Oracle interface {
	EnforceEx(values ...any) (allowed bool, rule []string, err error)
	AddGroupingPolicies(links [][]string) (bool, error)
	AddFunction(name string, f govaluate.ExpressionFunction)
}

// Major is a major version of Casbin under test.
type Major struct {
	Casbin bridge.Casbin
	// NewOracle creates an enforcer from the text of a model and the lines of a
	// policy, without the bridge. Casbin parses the lines itself.
	NewOracle func(model string, lines []string) (Oracle, error)
	// MatchNames makes the names in role links of a kind patterns for an oracle, and
	// MatchTenants the tenants.
	MatchNames, MatchTenants func(o Oracle, kind string, match func(text, pattern string) bool)
	// LimitLink limits when an oracle counts a role link of a kind: while holds
	// returns true or, if that is nil, between its start and its end by Casbin's
	// TimeMatchFunc. The tenant is "" if links have none.
	LimitLink func(o Oracle, kind, name, role, tenant string, holds func(fields ...string) (bool, error))
	// Decisions is the minimum number of compared decisions.
	Decisions int
}

// Run runs the suite.
func Run(t *testing.T, m Major) {
	t.Run("decisions", m.testDecisions)
	t.Run("functions", m.testFunctions)
	t.Run("effects", m.testEffects)
	t.Run("models", m.testModels)
	t.Run("deciders", m.testDeciders)
}

// The numbers of principals for each policy and of requests for each principal. In a
// few policies everything may happen to be allowed or refused; in enough of them
// that would be a mistake of the test.
const principals, requests, enough = 20, 10, 200

// testDecisions compares every decision with Casbin's own Enforce, for which the
// roles of the credentials are added as g lines of the subject (invariant 12). Each
// policy is decided by an index, if possible, and by Casbin alone.
func (m Major) testDecisions(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	all := policygen.AllFamilies()
	const perPolicy = principals * requests
	policies := (m.Decisions + len(all)*perPolicy - 1) / (len(all) * perPolicy)
	for n, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			allowed, asked := 0, 0
			for round := 0; round < policies || round < enough && (allowed == 0 || allowed == asked); round++ {
				allowed += m.compare(t, rnd, f)
				asked += perPolicy
			}
			if allowed == 0 || allowed == asked {
				t.Errorf("%d of %d requests are allowed: the cases prove nothing", allowed, asked)
			}
		})
	}
}

func (m Major) options(f policygen.Family) []casbinrules.Option {
	return append(Options(f), casbinrules.WithCasbin(m.Casbin))
}

// Options returns the options that a family needs.
func Options(f policygen.Family) []casbinrules.Option {
	opts := []casbinrules.Option{
		casbinrules.WithFunction("within", policygen.Within),
		casbinrules.WithLogger(slog.New(slog.DiscardHandler)),
	}
	if strings.Contains(f.Text, "act, region\n[") {
		opts = append(opts, casbinrules.WithClaimAttribute("region", "region"))
	}
	if !f.TokenRoles {
		opts = append(opts, casbinrules.WithoutTokenRoles())
	}
	if f.RolePatterns != "" {
		opts = append(opts, casbinrules.WithRolePatterns(f.PatternKind, f.RolePatterns))
	}
	if f.TenantPatterns {
		opts = append(opts, casbinrules.WithTenantPatterns("g"))
	}
	if f.Conditions {
		for _, kind := range f.Timed {
			opts = append(opts, casbinrules.WithLinkCondition(kind, func(_ context.Context, fields ...string) (bool, error) { return policygen.Holds(fields...) }))
		}
	}
	if f.Owner {
		opts = append(opts, casbinrules.WithObjectAttribute("owner"))
	}
	if f.DefaultRole != "" {
		opts = append(opts, casbinrules.WithDefaultRole(f.DefaultRole))
	}
	if f.AsCasbin {
		opts = append(opts, casbinrules.WithCasbinSemantics())
	}
	for _, field := range f.Typed {
		if field.Values == nil { // only in the policy
			continue
		}
		opts = append(opts, casbinrules.WithClaimAttribute(field.Name, field.Name), casbinrules.WithAttributeType(field.Name, field.Kind))
	}
	return opts
}

func (m Major) compare(t *testing.T, rnd *rand.Rand, f policygen.Family) (allowed int) {
	t.Helper()
	lines := f.Policy(rnd)
	files := fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(lines, "\n"))}}
	open := func(opts ...casbinrules.Option) *casbinrules.Authorizer {
		a, err := casbinrules.OpenFS(files, casbinrules.ModelText("model.conf", f.Text), []string{"policy.csv"}, append(m.options(f), opts...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, strings.Join(lines, "\n"))
		}
		return a
	}
	engines := []*casbinrules.Authorizer{open(), open(casbinrules.WithCasbinSemantics())}
	var shared Oracle // for all principals without roles of their own
	for range principals {
		p, err := f.Principal(rnd)
		if err != nil {
			t.Fatal(err)
		}
		oracle := shared
		own := hasRoles(p) || f.DefaultRole != ""
		if oracle == nil || own {
			oracle = m.oracle(t, f, lines, p)
		}
		if !own {
			shared = oracle
		}
		for range requests {
			access := f.Access(rnd)
			values, about := f.Values(p, access), map[string]string(nil)
			if f.Owner {
				about = map[string]string{"owner": f.OwnerOf(rnd)}
				values = append(values, about["owner"])
			}
			want, rule, err := oracle.EnforceEx(values...)
			if err != nil {
				t.Fatalf("casbin: %v", err)
			}
			for _, a := range engines {
				compareOne(t, a, about, lines, p, access, want, rule)
			}
			if want {
				allowed++
			}
		}
	}
	return allowed
}

func compareOne(t *testing.T, a *casbinrules.Authorizer, about map[string]string, lines []string, p *core.Principal, access core.Access, want bool, rule []string) {
	t.Helper()
	d, err := a.About(about).Authorize(t.Context(), p, access)
	if err != nil {
		t.Fatal(err)
	}
	roles := slices.Collect(p.CredentialRoles())
	if d.Allowed != want {
		t.Fatalf("%s: %s with roles %q in %s: %+v: got %v, casbin says %v\n%s", a.Status().Engine, p.ID(), roles, p.Tenant(), access, d.Allowed, want, strings.Join(lines, "\n"))
	}
	if got := ruleFields(t, lines, d.Rule); !slices.Equal(got, rule) {
		t.Fatalf("%s: %s with roles %q: %+v: rule %s is %q, casbin names %q\n%s", a.Status().Engine, p.ID(), roles, access, d.Rule, got, rule, strings.Join(lines, "\n"))
	}
}

func hasRoles(p *core.Principal) bool {
	for range p.CredentialRoles() {
		return true
	}
	return false
}

// oracle returns a Casbin enforcer to which the roles of the credentials have been
// added as g lines.
func (m Major) oracle(t *testing.T, f policygen.Family, lines []string, p *core.Principal) Oracle {
	t.Helper()
	e, err := m.NewOracle(f.Oracle(), lines)
	if err != nil {
		t.Fatal(err)
	}
	for name, function := range policygen.Functions() {
		e.AddFunction(name, function)
	}
	if f.RolePatterns != "" {
		function := m.Casbin.Functions()[f.RolePatterns]
		m.MatchNames(e, f.PatternKind, func(text, pattern string) bool {
			ok, _ := function(text, pattern)
			return ok == true
		})
	}
	if f.TenantPatterns {
		function := m.Casbin.Functions()["keyMatch"]
		m.MatchTenants(e, "g", func(text, pattern string) bool {
			ok, _ := function(text, pattern)
			return ok == true
		})
	}
	m.limitLinks(e, f, lines)
	roles := slices.Collect(p.CredentialRoles())
	if f.DefaultRole != "" {
		roles = append(roles, f.DefaultRole)
	}
	for _, role := range roles {
		link := []string{p.ID(), role, p.Tenant()}[:max(f.Roles, 2)]
		if slices.Contains(f.Timed, "g") {
			link = append(link, "_", "_")
		}
		if f.Roles > 0 {
			if _, err := e.AddGroupingPolicies([][]string{link}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// limitLinks limits when role links count for an oracle.
func (m Major) limitLinks(e Oracle, f policygen.Family, lines []string) {
	for _, line := range lines {
		fields := strings.Split(line, ", ")
		if !slices.Contains(f.Timed, fields[0]) {
			continue
		}
		tenant := ""
		if f.Roles == 3 {
			tenant = fields[3]
		}
		var holds func(fields ...string) (bool, error)
		if f.Conditions {
			if strings.HasSuffix(line, ", _, _") {
				continue // always counts
			}
			holds = policygen.Holds
		}
		m.LimitLink(e, fields[0], fields[1], fields[2], tenant, holds)
	}
}

// ruleFields returns the fields of the line that a decision names.
func ruleFields(t *testing.T, lines []string, rule string) []string {
	t.Helper()
	if rule == "" {
		return []string{}
	}
	var n int
	if _, err := fmt.Sscanf(rule, "policy.csv:%d", &n); err != nil {
		t.Fatalf("rule %q: %v", rule, err)
	}
	return strings.Split(lines[n-1], ", ")[1:]
}
