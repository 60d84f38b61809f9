package casbinrules

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/internal/casbinv2"
	"github.com/sallyport-go/sallyport/casbinrules/internal/engine"
	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/pattern/patterntest"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policy"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// casesFlag is how many questions the differential test of the index asks: go test -run
// IndexAnswers -index.cases 1000000.
var casesFlag = flag.Int("index.cases", 100_000, "questions put to the index and to Casbin")

// indexFamilies are the families with unusual objects, and additional matchers.
func indexFamilies() []family {
	all := families()
	soa := []string{"sub", "obj", "act"}
	soae := append(slices.Clone(soa), "eft")
	rbac := "g(r.sub, p.sub) && "
	further := []struct {
		name, effect, matcher string
		p                     []string
	}{
		{"everybody", allowAndDeny, `(g(r.sub, p.sub) || p.sub == "u1") && keyMatch2(r.obj, p.obj) && ` + anyAct + ` && (p.eft == "allow" || !g(r.sub, "r3"))`, soae},
		{"root inside", allowAndDeny, `(g(r.sub, p.sub) || r.sub == "root") && keyMatch2(r.obj, p.obj) && ` + anyAct, soae},
		{"object star", firstMatch, rbac + `(p.obj == "*" || keyMatch(r.obj, p.obj)) && ` + anyAct, soae},
		{"two functions", allowAndDeny, rbac + `(r.obj == p.obj || keyMatch3(r.obj, p.obj)) && ` + anyAct, soae},
		{"two ways", allowAndDeny, rbac + `keyMatch2(r.obj, p.obj) && ` + anyAct + ` || r.sub == p.sub && keyMatch(r.obj, p.obj) && r.act == p.act`, soae},
		{"no subject", firstMatch, `keyMatch4(r.obj, p.obj) && ` + anyAct, soae},
		{"no object", allowAndDeny, rbac + anyAct, soae},
		{"not equal", allowAndDeny, rbac + `r.act != p.act && !(r.obj == p.obj)`, soae},
		{"regexp", allowAndDeny, rbac + `regexMatch(r.obj, p.obj) && ` + anyAct, soae},
		{"constants", someAllow, rbac + `keyMatch2(r.obj, "/a/:id") && r.act == p.act || r.act == "GET" && keyMatch(r.obj, "/b*") && p.sub == "u1"`, soa},
	}
	for _, f := range further {
		text := modelText(plainRequest, strings.Join(f.p, ", "), "g = _, _", f.effect, f.matcher)
		all = append(all, family{policygen.Family{Name: f.name, Text: text, Fields: f.p, Roles: 2, Objects: patterntest.Patterns, Actions: policygen.StarActions, TokenRoles: true}})
	}
	for name, matcher := range map[string]string{
		"tenant of the link":    `g(r.sub, p.sub, p.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && ` + anyAct,
		"one tenant for links":  `g(r.sub, p.sub, "t1") && r.dom == p.dom && keyMatch2(r.obj, p.obj) && ` + anyAct,
		"root in every tenant":  `(g(r.sub, p.sub, r.dom) || r.sub == "root") && r.dom == p.dom && keyMatch2(r.obj, p.obj) && ` + anyAct,
		"tenant and no subject": `r.dom == p.dom && keyMatch2(r.obj, p.obj) && ` + anyAct,
		"tenant or all":         `g(r.sub, p.sub, r.dom) && (r.dom == p.dom || p.dom == "t2") && keyMatch2(r.obj, p.obj) && ` + anyAct,
		"links and no tenants":  `g(r.sub, p.sub) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && ` + anyAct,
	} {
		g, width := "g = _, _, _", 3
		if name == "links and no tenants" {
			g, width = "g = _, _", 2
		}
		p := []string{"sub", "dom", "obj", "act", "eft"}
		text := modelText(tenantsRequest, strings.Join(p, ", "), g, allowAndDeny, matcher)
		all = append(all, family{policygen.Family{Name: name, Text: text, Fields: p, Roles: width, Objects: patterntest.Patterns, Actions: policygen.StarActions, TokenRoles: true}})
	}
	for i := range all {
		if strings.Contains(all[i].Text, "keyMatch") {
			all[i].Objects = append(slices.Clone(all[i].Objects), patterntest.Patterns...)
		}
		if strings.Contains(all[i].Text, "regexMatch(r.obj") {
			all[i].Objects = append(slices.Clone(all[i].Objects), "a", "^/a$", "/a|/b", "(?i)/A", `^/\w+$`, "")
		}
	}
	return all
}

// TestIndexAnswersAsCasbin asks the index and Casbin's enforcer the same questions: verdict
// and rule must be the same.
func TestIndexAnswersAsCasbin(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	all := indexFamilies()
	total := 0
	for _, f := range all {
		t.Run(f.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			const perPolicy = 100
			indexed, allowed, asked := 0, 0, 0
			policies := max(1, cases(*casesFlag)/len(all)/perPolicy)
			// If rules rarely allow, or rarely refuse, more policies are tried until one
			// does.
			for indexed < policies || (allowed == 0 || allowed == asked) && indexed < 200 {
				n, unindexed := f.compareEngines(t, rnd, perPolicy)
				if errors.Is(unindexed, engine.ErrEmptyPolicy) {
					continue // as some are by chance
				}
				if unindexed != nil {
					t.Logf("not indexed: %v", unindexed)
					return
				}
				asked += perPolicy
				allowed += n
				indexed++
			}
			total += asked
			if indexed == 0 || allowed == 0 || allowed == asked {
				t.Errorf("%d policies indexed, %d of %d allowed: the cases prove nothing", indexed, allowed, asked)
			}
		})
	}
	t.Logf("%d questions", total)
}

// TestIndexOfRandomMatchers does the same for random matchers: the index must follow each
// exactly, or leave it to Casbin.
func TestIndexOfRandomMatchers(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 3))
	indexed, allowed := 0, 0
	for range max(100, cases(*casesFlag)/200) {
		f := randomFamily(rnd)
		if s := model.ReadSchema("model.conf", f.Text, &model.Settings{Casbin: casbinv2.Casbin}); s.File.Failed() {
			continue // refused as a model
		}
		if n, unindexed := f.compareEngines(t, rnd, 40); unindexed == nil {
			indexed++
			allowed += n
		}
	}
	t.Logf("%d matchers indexed, %d questions allowed", indexed, allowed)
	if indexed < 20 || allowed < 100 {
		t.Error("the cases prove nothing")
	}
}

// randomFamily is a model with a random matcher: a tree of comparisons that
// real matchers are made of.
func randomFamily(rnd *rand.Rand) family {
	tenants := rnd.IntN(2) == 0
	roles := 2 + rnd.IntN(2)
	atoms := []string{
		"r.sub == p.sub", "p.sub == r.sub", `p.sub == "u1"`, `r.sub == "root"`, "r.obj == p.obj", "keyMatch(r.obj, p.obj)",
		"keyMatch2(r.obj, p.obj)", "keyMatch3(r.obj, p.obj)", `p.obj == "/*"`, `keyMatch2(r.obj, "/a/:id")`, "r.act == p.act", `p.act == "*"`,
		`r.act == "GET"`, `p.eft == "allow"`, "r.act != p.act", "r.obj == p.act",
	}
	request, fields := plainRequest, []string{"sub", "obj", "act", "eft"}
	if tenants {
		request, fields = tenantsRequest, []string{"sub", "dom", "obj", "act", "eft"}
		atoms = append(atoms, "r.dom == p.dom", "r.dom == p.dom", `p.dom == "t2"`, "r.dom != p.dom")
	} else {
		roles = 2
	}
	g := "g = _, _"
	if roles == 3 {
		g = "g = _, _, _"
		atoms = append(atoms, "g(r.sub, p.sub, r.dom)", "g(r.sub, p.sub, p.dom)", `g(r.sub, p.sub, "t1")`, "g(r.sub, p.sub, r.dom)")
	} else {
		atoms = append(atoms, "g(r.sub, p.sub)", "g(r.sub, p.sub)", `g(r.sub, "r3")`, "g(p.sub, r.sub)")
	}
	var tree func(depth int) string
	tree = func(depth int) string {
		if depth == 0 || rnd.IntN(4) == 0 {
			if atom := pick(rnd, atoms); rnd.IntN(8) > 0 {
				return atom
			} else {
				return "!(" + atom + ")"
			}
		}
		parts := []string{tree(depth - 1), tree(depth - 1)}
		if rnd.IntN(2) == 0 {
			parts = append(parts, tree(depth-1))
		}
		return "(" + strings.Join(parts, pick(rnd, []string{" && ", " || "})) + ")"
	}
	var factors []string
	for range 2 + rnd.IntN(3) {
		factors = append(factors, tree(1+rnd.IntN(2)))
	}
	matcher := strings.Join(factors, " && ")
	if rnd.IntN(5) == 0 {
		matcher += " || " + tree(2)
	}
	effect := pick(rnd, []string{someAllow, allowAndDeny, firstMatch})
	return family{policygen.Family{Name: "random", Text: modelText(request, strings.Join(fields, ", "), g, effect, matcher),
		Fields: fields, Roles: roles, Objects: append([]string{"/a", "/a/1", "/b"}, patterntest.Patterns...), Actions: policygen.StarActions, TokenRoles: true}}
}

// compareEngines makes one policy and asks about it. unindexed is why there is no index.
func (f family) compareEngines(t *testing.T, rnd *rand.Rand, questions int) (allowed int, unindexed error) {
	t.Helper()
	c := &model.Settings{Casbin: casbinv2.Casbin}
	s := model.ReadSchema("model.conf", f.Text, c)
	if s.File.Failed() {
		t.Fatal(s.File.Findings)
	}
	p := policy.NewReader(s, c)
	lines := f.Policy(rnd)
	p.Read("policy.csv", []byte(strings.Join(lines, "\n")))
	graphs := policy.NewGraphs(s, p.Rules, c)
	x, err := engine.NewIndex(s, p.Rules, graphs, c)
	if err != nil {
		return 0, err
	}
	oracle, err := engine.NewCasbinEngine(s, p.Rules, graphs)
	if err != nil {
		t.Fatal(err)
	}
	for range questions {
		q := f.question(rnd)
		got, err := x.Decide(&q)
		if err != nil {
			t.Fatal(err)
		}
		want, err := oracle.Decide(&q)
		if err != nil {
			t.Fatal(err)
		}
		if text(got) != text(want) {
			t.Fatalf("%+v: got %s, casbin says %s\n%s\n%s", q, text(got), text(want), f.Text, strings.Join(lines, "\n"))
		}
		if want.Allowed {
			allowed++
		}
	}
	return allowed, nil
}

// TestExplanationsFailAsCasbin: functions for explanations refuse the arguments that Casbin
// refuses.
func TestExplanationsFailAsCasbin(t *testing.T) {
	c := &model.Settings{Casbin: casbinv2.Casbin}
	snapshot := engine.Snapshot{Schema: model.ReadSchema(RBAC().Name(), RBAC().Text(), c)}
	q, match := engine.Request{Ctx: t.Context()}, snapshot.Functions()[model.OwnPrefix+"keyMatch2"]
	if got, err := match(q.Links(), "/a/1", "/a/:id"); got != true || err != nil {
		t.Errorf("a text: %v, %v", got, err)
	}
	for _, args := range [][]any{{}, {"/a"}, {1.0, "/a"}, {nil, "/a"}, {"/a", true}, {"/a", "/a", "/a"}} {
		if got, err := match(append([]any{q.Links()}, args...)...); err == nil {
			t.Errorf("keyMatch2(%v) is %v, want an error", args, got)
		}
	}
}

func text(a engine.Answer) string {
	if a.Rules == nil {
		return fmt.Sprint(a.Allowed, " by no rule")
	}
	return fmt.Sprint(a.Allowed, " by ", a.Rule().Place(), " ", a.Rule().Values())
}

func (f family) question(rnd *rand.Rand) engine.Request {
	q := engine.Request{
		Subject: pick(rnd, []string{"u0", "u1", "u2", "root", "ghost", "c0", "r1", engine.Unmatchable}),
		Tenant:  pick(rnd, []string{"t1", "t2", "t3"}),
		Object:  pick(rnd, append(patterntest.Objects, policygen.PlainObjects...)),
		Action:  pick(rnd, append(policygen.PlainActions, "PATCH")),
	}
	if f.TokenRoles {
		for range rnd.IntN(4) {
			q.Roles = append(q.Roles, pick(rnd, []string{"r0", "r1", "r2", "r4", "c0", "c1", "x", "u1", "root"}))
		}
	}
	return q
}

// benchmarkIndex returns an index of n path rules in n/100 roles, and questions about it.
func benchmarkIndex(b *testing.B, n int) (*engine.Index, []engine.Request) {
	b.Helper()
	c := &model.Settings{Casbin: casbinv2.Casbin}
	s := model.ReadSchema(RBAC().Name(), RBAC().Text(), c)
	p := policy.NewReader(s, c)
	var text bytes.Buffer
	roles := max(1, n/100)
	for i := range n {
		pattern := "/svc" + strconv.Itoa(i/10) + "/items/:id"
		if i%10 == 9 {
			pattern = "/svc" + strconv.Itoa(i/10) + "/*"
		}
		fmt.Fprintf(&text, "p, role%d, %s, %s\n", i%roles, pattern, []string{"GET", "POST", "PUT", "*"}[i%4])
	}
	for i := range n {
		fmt.Fprintf(&text, "g, user%d, role%d\n", i, i%roles)
	}
	p.Read("p.csv", text.Bytes())
	x, err := engine.NewIndex(s, p.Rules, policy.NewGraphs(s, p.Rules, c), c)
	if err != nil {
		b.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	qs := make([]engine.Request, 1024)
	for i := range qs {
		r := rnd.IntN(n)
		subject := "user" + strconv.Itoa(r%roles)
		qs[i] = engine.Request{Subject: subject, Number: x.Names.Known(subject), Object: "/svc" + strconv.Itoa(r/10) + "/items/7", Action: "GET"}
	}
	return x, qs
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		x, qs := benchmarkIndex(b, n)
		var a engine.Answer
		b.Run("rules="+strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				x.Find(&qs[i&1023], &engine.TokenRoles{}, &a)
			}
		})
		b.Run("unknown/rules="+strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			q := engine.Request{Subject: "ghost", Object: "/svc1/items/7", Action: "GET"}
			for b.Loop() {
				x.Find(&q, &engine.TokenRoles{}, &a)
			}
		})
	}
}

func BenchmarkAuthorize(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		x, qs := benchmarkIndex(b, n)
		a := &Authorizer{}
		a.current.Store(&policyInForce{Snapshot: engine.Snapshot{Schema: &model.Schema{}, Engine: x, Index: x, Names: x.Names}})
		accesses := make([]core.Access, len(qs))
		principals := make([]*core.Principal, len(qs))
		for i, q := range qs {
			p, err := core.NewPrincipal(core.PrincipalInfo{ID: q.Subject})
			if err != nil {
				b.Fatal(err)
			}
			principals[i], accesses[i] = p, core.Access{Action: q.Action, Resource: core.Resource{Path: q.Object}}
		}
		b.Run("rules="+strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				if _, err := a.Authorize(b.Context(), principals[i&1023], accesses[i&1023]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
