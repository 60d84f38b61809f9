package casbinrules

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"
	"github.com/casbin/casbin/v2/persist/file-adapter"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
	"github.com/sallyport-go/sallyport/casbinrules/internal/policygen"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// soil makes random lines of a policy dirty in ways that Casbin may load.
func soil(rnd *rand.Rand, lines []string) string {
	dirty := slices.Clone(lines)
	for range 1 + rnd.IntN(6) {
		i := rnd.IntN(len(dirty))
		fields := strings.Split(dirty[i], ", ")
		at := rnd.IntN(len(fields))
		switch rnd.IntN(16) {
		case 0:
			fields[at] = ""
		case 1:
			fields[at] += " # note"
		case 2:
			fields[at] += " "
		case 3:
			fields[at] = strings.ToUpper(fields[at])
		case 4:
			fields[at] = `"` + fields[at] + `"`
		case 5:
			fields[at] += "\t"
		case 6:
			fields[at] = "(" + fields[at]
		case 7:
			fields = append(fields, "extra")
		case 8:
			fields = fields[:at]
		case 9:
			fields = []string{"g", pick(rnd, []string{"r0", "r1", "r2"}), pick(rnd, []string{"r0", "r1", "u0"}), "t1"}
		case 10:
			fields = slices.Clone(strings.Split(pick(rnd, lines), ", "))
		case 11:
			fields[0] = pick(rnd, []string{"m", "r", "e", "p2", "P", ";", "#"})
		case 12:
			fields[at] += "\x00\xff"
		case 13:
			fields[at] = " " + fields[at] + pick(rnd, []string{`"`, ";", "*", "\r"})
		case 14:
			fields[at] = `"` + fields[at] + `,"`
		case 15:
			fields[at] = " " + fields[at] + pick(rnd, []string{"Deny", "1", "/", "?x=1"})
		}
		dirty[i] = strings.Join(fields, ", ")
	}
	return strings.Join(dirty, pick(rnd, []string{"\n", "\r\n", "\n\n# c\n"}))
}

// TestAsCasbinIsCasbin compares what WithCasbinSemantics loads and decides from dirty files
// with Casbin's file adapter and Enforce.
func TestAsCasbinIsCasbin(t *testing.T) {
	t.Parallel()
	seed := authtest.Seed(t)
	dir := t.TempDir()
	allowed := 0
	for n, f := range families() {
		t.Run(f.Name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, uint64(n)))
			loaded := 0
			policies := cases(40)
			for range policies {
				text := soil(rnd, f.Policy(rnd))
				if ok, yes := f.compareAsCasbin(t, rnd, dir, text); ok {
					loaded++
					allowed += yes
				}
			}
			if !testing.Short() && (loaded < policies/20 || loaded == policies) {
				t.Errorf("%d of %d policies load: the cases prove little", loaded, policies)
			}
		})
	}
	if allowed == 0 {
		t.Error("no request is allowed: the cases prove little")
	}
}

// TestFieldsThatSubjectPriorityReads: a third field of a role link, which Casbin ignores
// elsewhere, takes the link out of the order of rules there.
func TestFieldsThatSubjectPriorityReads(t *testing.T) {
	const rules = "p, staff, /a, GET, deny\np, ann, /a, GET, allow\n"
	m := ModelText("model.conf", modelText(plainRequest, "sub, obj, act, eft", "g = _, _", subjectFirst, "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"))
	for link, allowed := range map[string]bool{"g, ann, staff\n": true, "g, ann, staff, berlin\n": false} {
		opts := []Option{WithCasbinSemantics(), WithoutTokenRoles(), quiet}
		if got := decide(t, open(t, m, rules+link, opts...), who(t, "ann"), to("GET", "/a")).Allowed; got != allowed {
			t.Errorf("%s: allowed %v", link, got)
		}
		found, err := LintFS(files("policy.csv", rules+link), m, []string{"policy.csv"}, WithCasbinSemantics(), WithoutTokenRoles())
		if err != nil {
			t.Fatal(err)
		}
		told := slices.ContainsFunc(found, func(f Finding) bool {
			return f.Code == model.CodeExtraField && strings.Contains(f.Message, `takes "berlin" for a tenant`)
		})
		if told == allowed {
			t.Errorf("%s: found %v", link, found)
		}
	}
}

// casbinFile returns Casbin's enforcer for a policy file, or its error.
func casbinFile(t *testing.T, dir, text, policy string) (e *casbin.Enforcer, err error) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	name := filepath.Join(dir, "policy.csv")
	if err := os.WriteFile(name, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := casbinmodel.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	return casbin.NewEnforcer(m, fileadapter.NewAdapter(name))
}

func (f family) compareAsCasbin(t *testing.T, rnd *rand.Rand, dir, policy string) (loaded bool, allowed int) {
	t.Helper()
	if f.Name == "subject priority" && strings.Contains(policy, "g,") {
		// If roles do not form a tree, Casbin's result depends on chance, or it hangs.
		found, err := LintFS(files("policy.csv", policy), ModelText("model.conf", f.Text), []string{"policy.csv"}, WithCasbinSemantics(), WithoutTokenRoles())
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(found, func(f Finding) bool { return f.Code == model.CodeTree }) {
			return false, 0
		}
	}
	e, refusal := casbinFile(t, dir, f.Text, policy)
	a, err := OpenFS(files("policy.csv", policy), ModelText("model.conf", f.Text), []string{"policy.csv"}, WithCasbinSemantics(), WithoutTokenRoles(), quiet)
	if (err == nil) != (refusal == nil) {
		t.Fatalf("casbin: %v, here: %v\n%q", refusal, err, policy)
	}
	if err != nil {
		return false, 0
	}
	for range 12 {
		values := []string{pick(rnd, []string{"u0", "u1", "U0", "root", "r0", "r1", "", "anonymous", "u2 "}),
			pick(rnd, append(policygen.PlainObjects, "/a ", "/A", "/b/b", "")), pick(rnd, []string{"GET", "POST", "HEAD", "PROPFIND", "get", ""})}
		switch {
		case f.Roles == 3:
			values = slices.Insert(values, 1, pick(rnd, []string{"t1", "t2", "T1", ""}))
		case f.Name == "priority by field":
			slices.Reverse(values)
		}
		if f.askBoth(t, a, e, values, policy) {
			allowed++
		}
	}
	return true, allowed
}

// askBoth compares Enforce, and Authorize if a gate could ask the question.
func (f family) askBoth(t *testing.T, a *Authorizer, e *casbin.Enforcer, values []string, policy string) bool {
	t.Helper()
	asked := make([]any, len(values))
	for i, v := range values {
		asked[i] = v
	}
	want, refusal := e.Enforce(asked...)
	d, err := a.Enforce(context.Background(), values...)
	if d.Allowed != want || (err == nil) != (refusal == nil) {
		t.Fatalf("Enforce %q: got %v, %v; casbin says %v, %v\n%q", values, d.Allowed, err, want, refusal, policy)
	}
	tenant := "t1"
	switch {
	case f.Roles == 3:
		tenant = values[1]
		values = []string{values[0], values[2], values[3]}
	case f.Name == "priority by field":
		values = []string{values[2], values[1], values[0]}
	}
	if values[0] == "" || tenant == "" || values[1] == "" {
		return want
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: values[0], Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	d, err = a.Authorize(context.Background(), p, to(values[2], values[1]))
	if d.Allowed != want || (err == nil) != (refusal == nil) {
		t.Fatalf("Authorize %q: got %v, %v; casbin says %v, %v\n%q", values, d.Allowed, err, want, refusal, policy)
	}
	return want
}

func TestAsCasbinTurnsFindingsIntoWarnings(t *testing.T) {
	const policy = "p, ann, /x, GET, Deny\np, ann , /x, GET, allow\np, , /y, GET, allow # c\ng, ann, staff, more\n"
	if _, err := OpenFS(files("p.csv", policy), RBACWithDeny(), []string{"p.csv"}, quiet); err == nil {
		t.Fatal("the policy opens without WithCasbinSemantics")
	}
	a := open(t, RBACWithDeny(), policy, WithCasbinSemantics())
	codes := map[string]bool{}
	for _, f := range a.Warnings() {
		codes[f.Code] = true
		if f.Severity != SeverityWarning {
			t.Errorf("%s is no warning", f)
		}
	}
	for _, code := range []string{model.CodeEffect, model.CodeSpace, model.CodeEmptyField, model.CodeComment, model.CodeExtraField} {
		if !codes[code] {
			t.Errorf("no warning %s", code)
		}
	}
	if _, err := OpenFS(files("p.csv", "p, ann\n"), RBACWithDeny(), []string{"p.csv"}, WithCasbinSemantics(), quiet); err == nil {
		t.Error("what Casbin refuses loads")
	}
	if _, err := a.Enforce(context.Background(), "ann", "/x"); err == nil {
		t.Error("a request of two values is decided")
	}
}

// TestConditionsMayHaveTextsInQuotes: the quotes are those of an expression, not around a
// value.
func TestConditionsMayHaveTextsInQuotes(t *testing.T) {
	m := ModelText("m.conf", modelText(plainRequest, "rule, obj, act", "", someAllow, "eval(p.rule) && r.obj == p.obj && r.act == p.act"))
	policy := "p, 'ann' == r.sub || r.sub == 'bob', /a, GET\np, 'ann', /a, GET\np, 'o'brien', /a, GET\n"
	var lines []int
	for _, f := range open(t, m, policy, WithCasbinSemantics()).Warnings() {
		if f.Code == model.CodeOtherQuotes {
			lines = append(lines, f.Line)
		}
	}
	if !slices.Equal(lines, []int{2, 3}) {
		t.Errorf("single_quotes in lines %v", lines)
	}
}

// TestAsCasbinReadsModelsLikeCasbin loads models that are refused without the option.
func TestAsCasbinReadsModelsLikeCasbin(t *testing.T) {
	denyOnly := strings.Replace(RBACWithDeny().Text(), "some(where (p.eft == allow)) && ", "", 1)
	a := open(t, ModelText("m.conf", denyOnly), "p, ann, /x, GET, deny\n", WithCasbinSemantics())
	for path, want := range map[string]bool{"/x": false, "/y": true} {
		if d := decide(t, a, who(t, "ann"), to("GET", path)); d.Allowed != want {
			t.Errorf("%s: %+v", path, d)
		}
	}
	second := strings.Replace(baseModel, "p = sub, obj, act", "p = sub, obj, act\np2 = sub, act", 1)
	a = open(t, ModelText("m.conf", second), "p, ann, /x, GET\np2, ann, GET\n", WithCasbinSemantics())
	if d := decide(t, a, who(t, "ann"), to("GET", "/x")); !d.Allowed {
		t.Errorf("%+v", d)
	}
	short := modelText("sub, act", "sub, act", "", someAllow, "r.sub == p.sub && r.act == p.act")
	a = open(t, ModelText("m.conf", short), "p, ann, GET\n", WithCasbinSemantics())
	if d, err := a.Enforce(context.Background(), "ann", "GET"); err != nil || !d.Allowed {
		t.Errorf("%+v, %v", d, err)
	}
}
