package casbinrules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/bridge/bridgetest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestExplainedChainsDecideAlone explains random requests to policies of all kinds. A policy
// that has only the rule and the role links of the explanation must decide as the whole one
// does, by that rule, for credentials that have only the roles of the explanation. Without
// any one of them it must not, and no chain is longer than need be.
func TestExplainedChainsDecideAlone(t *testing.T) {
	t.Parallel()
	seed, policies := authtest.Seed(t), 20
	if testing.Short() {
		policies = 10
	}
	families := policygen.AllFamilies()
	chains := make([]int, len(families)) // how many chains were checked
	t.Run("families", func(t *testing.T) {
		for n, f := range families {
			t.Run(f.Name, func(t *testing.T) {
				t.Parallel()
				rnd := rand.New(rand.NewPCG(seed, uint64(n)))
				for range policies {
					c := chained{t: t, family: f, lines: f.Policy(rnd)}
					a, err := c.open(nil)
					if err != nil {
						t.Fatalf("%v\n%s", err, strings.Join(c.lines, "\n"))
					}
					for range 20 {
						p, err := f.Principal(rnd)
						if err != nil {
							t.Fatal(err)
						}
						chains[n] += c.check(a, p, f.Access(rnd))
					}
				}
			})
		}
	})
	some := 0
	for _, count := range chains {
		if count > policies {
			some++
		}
	}
	if t.Logf("chains %v", chains); some < len(families)/3 {
		t.Errorf("in %d of %d families were there chains: the cases prove little", some, len(families))
	}
}

// chained is a policy with explanations to check.
type chained struct {
	t      *testing.T
	family policygen.Family
	lines  []string
	named  []string // names of the chains, which patterns match only if some link has them
	tenant string   // "" without tenants
}

// open opens the policy, or some of its lines, by number, at their places.
func (c *chained) open(only []int) (*casbinrules.Authorizer, error) {
	lines := slices.Clone(c.lines)
	for i := range lines {
		if only != nil && !slices.Contains(only, i+1) {
			lines[i] = ""
		}
	}
	if only != nil && c.family.RolePatterns != "" {
		for _, name := range c.named {
			lines = append(lines, strings.TrimSuffix(c.family.PatternKind+", "+name+", nowhere, "+c.tenant, ", "))
		}
	}
	fsys := fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(lines, "\n"))}}
	return casbinrules.OpenFS(fsys, casbinrules.ModelText("model.conf", c.family.Text), []string{"policy.csv"}, bridgetest.Options(c.family)...)
}

// decides reports whether a rule decides for p with only some roles, in a policy of only it
// and some role links.
func (c *chained) decides(want core.Decision, rule int, links []int, p *core.Principal, roles []string, access core.Access) bool {
	a, err := c.open(append([]int{rule}, links...))
	if err != nil {
		return false // such as a role that nothing defines any more
	}
	claims := map[string]any{}
	for name := range p.Claims() {
		claims[name], _ = p.Claim(name)
	}
	p, err = core.NewPrincipal(core.PrincipalInfo{ID: p.ID(), Roles: roles, Tenant: p.Tenant(), Claims: claims})
	if err != nil {
		c.t.Fatal(err)
	}
	d, err := a.Authorize(c.t.Context(), p, access)
	if err != nil {
		c.t.Fatal(err)
	}
	return d.Allowed == want.Allowed && d.Rule == want.Rule
}

// check checks the explanation of a request, and returns the number of its chains.
func (c *chained) check(a *casbinrules.Authorizer, p *core.Principal, access core.Access) (chains int) {
	t := c.t
	e, err := a.Explain(t.Context(), p, access)
	if err != nil {
		t.Fatal(err)
	}
	var links []int
	var roles []string
	if c.named = nil; c.family.Roles == 3 {
		c.tenant = p.Tenant()
	}
	for from, chain := range map[string][]casbinrules.ChainLink{p.ID(): e.Chain, e.Object: e.ObjectChain, e.Action: e.ActionChain} {
		if len(chain) > 0 {
			chains++
		}
		for _, link := range chain {
			if link.From != from {
				t.Fatalf("%s\nthe chain jumps from %s: %s", c, from, e)
			}
			c.named = append(c.named, link.From)
			if slices.Contains(c.family.Names, link.To) { // the pattern of the rule may match it
				c.named = append(c.named, link.To)
			}
			switch from = link.To; {
			case link.Rule != nil:
				if link.Rule.Text != c.lines[link.Rule.Line-1] {
					t.Fatalf("%s\nno line %s: %s", c, link.Rule, e)
				}
				if !slices.Contains(links, link.Rule.Line) { // a pattern may count twice
					links = append(links, link.Rule.Line)
				}
			case !link.Default:
				roles = append(roles, link.To)
			}
		}
	}
	if e.Rule == nil {
		if chains > 0 {
			t.Fatalf("%s\na chain and no rule: %s", c, e)
		}
		return 0
	}
	decides := func(links []int, roles []string) bool {
		return c.decides(e.Decision(), e.Rule.Line, links, p, roles, access)
	}
	if !decides(links, roles) {
		t.Fatalf("%s\nfor %s with the roles %q the lines %d do not decide: %s", c, p.ID(), roles, links, e)
	}
	if chains == 0 || decides(nil, nil) { // an alternative of the matcher, or the default role, needs no links
		return 0
	}
	if c.family.DefaultRole != "" {
		return chains // which is a link that is always there
	}
	for i := range links {
		if decides(slices.Delete(slices.Clone(links), i, i+1), roles) {
			t.Fatalf("%s\nnot needed for %s is line %d: %s", c, p.ID(), links[i], e)
		}
	}
	for i := range roles {
		if decides(links, slices.Delete(slices.Clone(roles), i, i+1)) {
			t.Fatalf("%s\nnot needed for %s is the role %s: %s", c, p.ID(), roles[i], e)
		}
	}
	if len(links)+len(roles) < 2 || chains > 1 {
		return chains
	}
	for i, line := range c.lines {
		if strings.HasPrefix(line, "g") && decides([]int{i + 1}, nil) {
			t.Fatalf("%s\nline %d is enough: %s", c, i+1, e)
		}
	}
	for role := range p.CredentialRoles() {
		if decides(nil, []string{role}) {
			t.Fatalf("%s\nthe role %s is enough: %s", c, role, e)
		}
	}
	return chains
}

func (c *chained) String() string {
	return fmt.Sprintf("%s:\n%s", c.family.Name, strings.Join(c.lines, "\n"))
}
