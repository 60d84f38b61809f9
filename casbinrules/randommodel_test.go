package casbinrules

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestRandomModelsDecideAsCasbin compares the decisions of random models, and the lines that
// decide, with Casbin's own.
func TestRandomModelsDecideAsCasbin(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 4))
	opened, indexed, allowed, asked := 0, 0, 0, 0
	for range cases(2000) {
		r := newAnyPolicy(rnd)
		m, err := casbinmodel.NewModelFromString(r.Model)
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		e, err := casbin.NewEnforcer(m, lineAdapter{lines: r.Lines})
		if err != nil {
			t.Fatalf("%v\n%s", err, r)
		}
		var engines []*Authorizer
		for _, opts := range [][]Option{{WithCasbinSemantics()}, nil} {
			a, err := OpenFS(files("policy.csv", strings.Join(r.Lines, "\n")), ModelText("model.conf", r.Model), []string{"policy.csv"}, append(opts, WithoutTokenRoles(), quiet)...)
			var refused *FindingsError
			if err != nil && !errors.As(err, &refused) {
				t.Fatalf("%v\n%s", err, r)
			}
			if err == nil {
				engines = append(engines, a)
				opened++
				if a.Status().Engine == EngineIndex {
					indexed++
				}
			}
		}
		for range 30 {
			values := r.values(rnd)
			questions := make([]any, len(values))
			for i, v := range values {
				questions[i] = v
			}
			want, rule, refusal := e.EnforceEx(questions...)
			for _, a := range engines {
				d, err := a.Enforce(t.Context(), values...)
				asked++
				if d.Allowed != want || (err == nil) != (refusal == nil) {
					t.Fatalf("%s: %q: got %v, %v; casbin says %v, %v\n%s", a.Status().Engine, values, d.Allowed, err, want, refusal, r)
				}
				if got := fieldsAt(a, d.Rule); !slices.Equal(got, rule) && err == nil {
					t.Fatalf("%s: %q: got %v by %s, %q; casbin says by %q\n%s", a.Status().Engine, values, d.Allowed, d.Rule, got, rule, r)
				}
				if want {
					allowed++
				}
			}
		}
	}
	t.Logf("%d opened, %d indexed, %d of %d allowed", opened, indexed, allowed, asked)
	if indexed < opened/20 || allowed < asked/20 || allowed > asked*19/20 {
		t.Error("the cases prove little")
	}
}

// fieldsAt returns the fields of the rule at a place, nil for none.
func fieldsAt(a *Authorizer, place string) []string {
	for _, r := range a.Rules() {
		if r.Place() == place {
			return r.Fields
		}
	}
	return nil
}

// anyPolicy is a random model with a random policy.
type anyPolicy struct {
	Model          string
	Request        []string // fields of requests
	Lines          []string
	Names, Tenants []string
	Objects        []string
	Actions        []string
}

// Values of random policies: names of which some differ only in case or look alike, and
// objects and actions that mean something to some function.
var (
	oddNames   = []string{"ann", "Ann", "bob", "staff", "lead", "zoë", "ZOË", "o'brien", "a b", "x,y", `say "hi"`, "10", "1e1", "*", "root"}
	oddTenants = []string{"t1", "T1", "t2", "ü", "*"}
	oddObjects = []string{"/a", "/A", "/a/1", "/a/1/2", "/é/x", "/a.b", "/aXb", "/b/2/c", "10.0.0.1", "a", "/a,b", "/x y"}
	oddRules   = []string{"/a", "/a/*", "/a*", "/:x", "/a/:id", "/a/{id}", "/{x}/{x}", "*", "/*", "/é/*", "/a.b", "^/a", "/[ab]", "/**", "10.0.0.0/8", "/a,b", "area", "zone", `/a\.b`, "/x y", "^/[a-z]$", "/A"}
	oddActions = []string{"GET", "POST", "get", "read", "PUT", "é", "G T"}
	oddActRule = []string{"GET", "POST", "*", "get", "^(GET|PUT)$", "read", "P", "verbs", "é", "GET|read"}
)

// newAnyPolicy returns a random model and policy. Most of the models are unlike any that
// people write, but each is one that Casbin can evaluate.
func newAnyPolicy(rnd *rand.Rand) anyPolicy {
	r := anyPolicy{Request: []string{"sub", "obj", "act"}, Names: oddNames, Tenants: oddTenants, Objects: oddObjects, Actions: oddActions}
	policy := []string{"sub", "obj", "act"}
	functions := []string{"keyMatch", "keyMatch2", "keyMatch3", "keyMatch4", "keyMatch5", "globMatch", "regexMatch"}
	fn := func() string { return policygen.Pick(rnd, functions) }
	atoms := []string{
		"r.sub == p.sub", "p.sub == r.sub", "r.sub == p.sub", "r.obj == p.obj", "r.act == p.act", "p.obj == r.obj", `p.act == "*"`, `p.obj == "*"`, `p.sub == "*"`, `r.sub == "root"`, `"root" == r.sub`,
		fn() + "(r.obj, p.obj)", fn() + "(r.obj, p.obj)", fn() + "(r.obj, p.obj)", fn() + "(r.act, p.act)", fn() + "(r.sub, p.sub)", fn() + `(r.obj, "/a/*")`, "keyMatch(p.obj, r.obj)",
		`r.act in ("GET", p.act)`, `p.act in ("*", r.act)`, `r.sub in ("ann", "bob")`, "r.act != p.act", "r.sub != p.sub", `p.sub != "*"`, `r.act =~ "^G"`, "r.act !~ p.act",
		`(r.act == "GET" ? r.obj == p.obj : r.act == p.act)`, "(r.sub == p.sub) == (r.obj == p.obj)", "true", `r.obj == p.sub`, `r.sub == r.act`, `keyGet2(r.obj, p.obj, "id") == r.sub`, `"GET" == "GET"`,
		`r.sub == "zoe"`, `r.sub == 'bob'`,
	}
	tenants := rnd.IntN(3) == 0
	if tenants {
		r.Request, policy = []string{"sub", "dom", "obj", "act"}, []string{"sub", "dom", "obj", "act"}
		atoms = append(atoms, "r.dom == p.dom", "r.dom == p.dom", `p.dom == "*"`, "keyMatch(r.dom, p.dom)", `r.dom == "t1"`, `(r.dom == p.dom || p.dom == "*")`)
	}
	roles, width := "", 0
	switch n := rnd.IntN(4); {
	case n == 0:
	case n == 1 && tenants:
		roles, width = "g = _, _, _", 3
		atoms = append(atoms, "g(r.sub, p.sub, r.dom)", "g(r.sub, p.sub, r.dom)", "g(r.sub, p.sub, p.dom)", `g(r.sub, "staff", r.dom)`, `g(r.sub, p.sub, "t1")`, `!g(r.sub, "lead", r.dom)`)
	default:
		roles, width = "g = _, _", 2
		atoms = append(atoms, "g(r.sub, p.sub)", "g(r.sub, p.sub)", "g(r.sub, p.sub)", `g(r.sub, "staff")`, `!g(r.sub, "lead")`, "g(p.sub, r.sub)", "g(r.sub, p.obj)")
	}
	objectRoles := roles != "" && rnd.IntN(3) == 0
	if objectRoles {
		roles += "\ng2 = _, _"
		atoms = append(atoms, "g2(r.obj, p.obj)", "g2(r.obj, p.obj)", "g2(r.act, p.act)", `g2(r.obj, "area")`, "g2(p.obj, r.obj)")
	}
	effect := policygen.Pick(rnd, []string{policygen.SomeAllow, policygen.SomeAllow, policygen.AllowAndDeny, policygen.AllowAndDeny, policygen.FirstMatch, policygen.FirstMatch, "!some(where (p.eft == deny))"})
	if rnd.IntN(4) > 0 {
		policy = append(policy, "eft")
		atoms = append(atoms, `p.eft == "allow"`)
	}
	if rnd.IntN(5) == 0 {
		policy = append(policy, "priority")
	}
	if rnd.IntN(6) == 0 {
		policy = append(policy, "note")
		atoms = append(atoms, "r.sub == p.note", `p.note == "ann"`, "g(r.sub, p.sub) && p.note != r.obj")
		if width != 2 {
			atoms = atoms[:len(atoms)-1]
		}
	}
	if rnd.IntN(2) == 0 {
		rnd.Shuffle(len(policy), func(i, j int) { policy[i], policy[j] = policy[j], policy[i] })
	}
	if rnd.IntN(4) == 0 {
		rnd.Shuffle(len(r.Request), func(i, j int) { r.Request[i], r.Request[j] = r.Request[j], r.Request[i] })
	}
	var tree func(depth int) string
	tree = func(depth int) string {
		if depth == 0 || rnd.IntN(4) == 0 {
			if atom := policygen.Pick(rnd, atoms); rnd.IntN(8) > 0 {
				return atom
			} else {
				return "!(" + atom + ")"
			}
		}
		operator := policygen.Pick(rnd, []string{" && ", " || ", " && "})
		parts := []string{tree(depth - 1), tree(depth - 1)}
		if rnd.IntN(2) == 0 {
			parts = append(parts, tree(depth-1))
		}
		text := strings.Join(parts, operator)
		if operator == " && " && rnd.IntN(2) == 0 {
			return text
		}
		return policygen.Pick(rnd, []string{"", "", "!"}) + "(" + text + ")"
	}
	var factors []string
	for range 1 + rnd.IntN(4) {
		factors = append(factors, tree(rnd.IntN(3)))
	}
	matcher := strings.Join(factors, policygen.Pick(rnd, []string{" && ", " && ", " || "}))
	r.Model = policygen.ModelText(strings.Join(r.Request, ", "), strings.Join(policy, ", "), roles, effect, matcher)

	subset := func(from []string) []string { // few values, so that rules meet requests
		some := make([]string, 0, 5)
		for range 5 {
			some = append(some, policygen.Pick(rnd, from))
		}
		return some
	}
	names, objects, acts, domains := subset(oddNames), subset(oddRules), subset(oddActRule), subset(oddTenants)
	line := func(fields ...string) {
		for i, field := range fields {
			if strings.ContainsAny(field, `,"`) || rnd.IntN(12) == 0 {
				fields[i] = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			}
		}
		r.Lines = append(r.Lines, strings.Join(fields, policygen.Pick(rnd, []string{", ", ",", ",  "})))
	}
	for range rnd.IntN(9) {
		fields := []string{"p"}
		for _, field := range policy {
			fields = append(fields, map[string]string{
				"sub": policygen.Pick(rnd, names), "dom": policygen.Pick(rnd, domains), "obj": policygen.Pick(rnd, objects), "act": policygen.Pick(rnd, acts),
				"eft": policygen.Pick(rnd, []string{"allow", "allow", "deny"}), "priority": policygen.Pick(rnd, []string{"1", "2", "10", "-1", "007"}), "note": policygen.Pick(rnd, names),
			}[field])
		}
		line(fields...)
	}
	for i := range names { // only from earlier to later ones
		if j := i + 1 + rnd.IntN(3); width > 0 && j < len(names) && names[i] != names[j] && rnd.IntN(2) == 0 {
			line([]string{"g", names[i], names[j], policygen.Pick(rnd, domains)}[:width+1]...)
		}
	}
	if objectRoles {
		for range rnd.IntN(4) {
			line("g2", policygen.Pick(rnd, append([]string{"GET"}, oddObjects...)), policygen.Pick(rnd, []string{"area", "verbs"}))
		}
		if rnd.IntN(3) == 0 {
			line("g2", "area", "zone")
		}
	}
	rnd.Shuffle(len(r.Lines), func(i, j int) { r.Lines[i], r.Lines[j] = r.Lines[j], r.Lines[i] })
	r.Names = append(names, "ghost", "root")
	return r
}

// values returns a random request in the order of the model's definition.
func (r anyPolicy) values(rnd *rand.Rand) []string {
	var values []string
	for _, field := range r.Request {
		values = append(values, map[string]string{"sub": policygen.Pick(rnd, r.Names), "dom": policygen.Pick(rnd, r.Tenants), "obj": policygen.Pick(rnd, r.Objects), "act": policygen.Pick(rnd, r.Actions)}[field])
	}
	return values
}

func (r anyPolicy) String() string { return r.Model + strings.Join(r.Lines, "\n") }
