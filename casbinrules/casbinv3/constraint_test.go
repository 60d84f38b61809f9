package casbinv3

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/casbin/casbin/v3/model"
	"github.com/casbin/casbin/v3/persist"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core/authtest"
)

const rbacWithDomains = `[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
`

// TestConstraintsAreThoseOfCasbin holds what is refused for a constraint against
// Casbin's own ValidateConstraints.
func TestConstraintsAreThoseOfCasbin(t *testing.T) {
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 1))
	role := func() string { return fmt.Sprintf("r%d", rnd.IntN(4)) }
	two := func() (string, string) {
		a := rnd.IntN(4)
		return fmt.Sprintf("r%d", a), fmt.Sprintf("r%d", (a+1+rnd.IntN(3))%4)
	}
	violated := 0
	const rounds = 400
	for range rounds {
		var constraints strings.Builder
		constraints.WriteString("[constraint_definition]\n")
		for i := range 1 + rnd.IntN(3) {
			key := "c"
			if i > 0 {
				key = fmt.Sprintf("c%d", i+1)
			}
			a, b := two()
			constraint := []string{
				fmt.Sprintf(`sod("%s", "%s")`, a, b),
				fmt.Sprintf(`sodMax(["r0","r1" , "r2"], %d)`, rnd.IntN(3)),
				fmt.Sprintf(`roleMax ( "%s", %d )`, role(), rnd.IntN(4)),
				fmt.Sprintf(`rolePre("%s","%s") # both`, a, b),
			}[rnd.IntN(4)]
			fmt.Fprintf(&constraints, "%s = %s\n", key, constraint)
		}
		lines := []string{"p, r0, t1, /a, GET"}
		for range rnd.IntN(6) {
			lines = append(lines, fmt.Sprintf("g, u%d, %s, t%d", rnd.IntN(3), role(), rnd.IntN(2)))
		}
		text := rbacWithDomains + constraints.String()
		want := validate(t, text, lines)
		_, err := OpenFS(fstest.MapFS{"policy.csv": {Data: []byte(strings.Join(lines, "\n"))}}, casbinrules.ModelText("model.conf", text), []string{"policy.csv"}, casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
		var refused *casbinrules.FindingsError
		if err != nil && !errors.As(err, &refused) {
			t.Fatal(err)
		}
		if (err == nil) != (want == nil) {
			t.Fatalf("got %v, casbin says %v\n%s\n%s", err, want, constraints.String(), strings.Join(lines, "\n"))
		}
		if err == nil {
			continue
		}
		violated++
		errors := 0
		for _, f := range refused.Findings {
			if f.Severity != casbinrules.SeverityError {
				continue
			}
			errors++
			if f.Code != "constraint_violated" || f.File != "policy.csv" || f.Line < 2 || f.Column < 4 {
				t.Errorf("got %s", f)
			}
		}
		if errors == 0 {
			t.Error("refused without an error")
		}
	}
	if violated == 0 || violated == rounds {
		t.Errorf("%d of %d policies violate a constraint: the cases prove nothing", violated, rounds)
	}
}

// validate is what Casbin says of a policy that has been loaded.
func validate(t *testing.T, text string, lines []string) error {
	t.Helper()
	m, err := model.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if err := persist.LoadPolicyLine(line, m); err != nil {
			t.Fatal(err)
		}
	}
	return m.ValidateConstraints()
}

func TestConstraintsThatCasbinRefusesAreRefused(t *testing.T) {
	for _, constraint := range []string{
		`c = sod("a")`, `c = sod(a, b)`, `c = sodMax("a", 1)`, `c = sodMax(["a"], -1)`, `c = sodMax(["a"], 99999999999999999999)`,
		`c = sodMax([], 1)`, `c = roleMax("a")`, `c = rolePre("a", "b", "c")`, `c = needs("a", "b")`, `c = "a"`, `c = sod("a", "b") && sod("c", "d")`,
	} {
		text := rbacWithDomains + "[constraint_definition]\n" + constraint + "\n"
		if _, err := model.NewModelFromString(text); err == nil {
			t.Errorf("Casbin takes %s", constraint)
		}
		found, err := casbinrules.LintFS(fstest.MapFS{"policy.csv": {Data: []byte("p, a, t, /a, GET\n")}}, casbinrules.ModelText("model.conf", text), []string{"policy.csv"}, WithCasbin())
		if err != nil || len(found) == 0 || found[0].Code != "model_constraint" || found[0].Line != 12 {
			t.Errorf("%s: got %v, %v", constraint, found, err)
		}
	}
}

func TestConstraintsHoldForReloads(t *testing.T) {
	adapter := newTable("p, staff, t, /a, GET", "g, erin, staff, t")
	a, err := FromAdapter(casbinrules.ModelText("model.conf", rbacWithDomains+"[constraint_definition]\nc = roleMax(\"staff\", 1)\n"), adapter, casbinrules.WithCasbinSemantics(), casbinrules.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	before := a.Version().Hash
	adapter.set("p, staff, t, /a, GET", "g, erin, staff, t", "g, ann, staff, t")
	var refused *casbinrules.FindingsError
	if err := a.Reload(t.Context()); !errors.As(err, &refused) || refused.Findings[0].Code != "constraint_violated" {
		t.Errorf("reload: %v", err)
	}
	if a.Version().Hash != before {
		t.Error("a policy that violates a constraint is in force")
	}
}
