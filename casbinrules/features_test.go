package casbinrules

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/casbin/casbin/v2"
	casbinmodel "github.com/casbin/casbin/v2/model"

	"github.com/sallyport-go/sallyport/casbinrules/internal/model"
)

// TestFeaturesOfCasbinAreHonouredOrRefused tries everything that a model can say: each is
// decided as in Casbin, or refused when loaded.
func TestFeaturesOfCasbinAreHonouredOrRefused(t *testing.T) {
	const (
		matcher = "m = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act"
		request = "r = sub, obj, act"
		policy  = "p = sub, obj, act"
		roles   = "g = _, _"
		effect  = "e = " + someAllow
	)
	for _, c := range []struct {
		name, old, with string
		want            string // the finding; "" when the feature is honoured
	}{
		{"in with a list", matcher, matcher + ` && r.act in ("GET", "POST")`, ""},
		{"in with one constant", matcher, matcher + ` && r.act in ("GET")`, ""},
		{"in with fields", matcher, `m = r.sub in (p.sub, "root") && keyMatch(r.obj, p.obj) && r.act == p.act`, ""},
		{"in without a list", matcher, matcher + " && r.act in p.act", model.CodeModelMatcher},
		{"in with one field in parentheses", matcher, matcher + " && r.act in (p.act)", model.CodeModelMatcher},
		{"texts in order", matcher, matcher + ` && r.obj >= p.obj`, model.CodeModelMatcher},
		{"text before a constant", matcher, matcher + ` && r.obj < "/z"`, model.CodeModelMatcher},
		{"field of the policy before a number", matcher, matcher + ` && p.act < 5`, model.CodeModelMatcher},
		{"choice of texts in order", matcher, matcher + ` && (r.act == "GET" ? r.obj : r.sub) < p.obj`, model.CodeModelMatcher},
		{"result of a function in order", matcher, matcher + ` && keyGet(r.obj, p.obj) <= "z"`, model.CodeModelMatcher},
		{"joined texts in order", matcher, matcher + ` && r.obj + "x" > p.obj`, model.CodeModelMatcher},
		{"number behind a text", matcher, matcher + ` && r.obj + 1 == p.obj`, model.CodeModelMatcher},
		{"text in a list of numbers", matcher, matcher + ` && p.act in (1, 2)`, model.CodeModelMatcher},
		{"text with a minus", matcher, matcher + ` && -p.act == 1`, model.CodeModelMatcher},
		{"choice of a text or a number", matcher, matcher + ` && (r.act == "GET" ? r.obj : 1) == p.obj`, model.CodeModelMatcher},
		{"truth values in order", matcher, matcher + ` && (r.act == p.act) >= true`, model.CodeModelMatcher},
		{"regular expression operator", matcher, matcher + ` && r.act =~ "^(GET|PUT)$" && r.sub !~ "^x"`, ""},
		{"texts joined", matcher, `m = g(r.sub, p.sub) && r.obj + "x" == p.obj + "x" && r.act == p.act`, ""},
		{"choice", matcher, `m = r.sub == p.sub && (r.act == "GET" ? r.obj == p.obj : r.obj == "/a")`, ""},
		{"constants and numbers", matcher, matcher + " && true && !(1 + 2 * 3 > 2 ** 3)", ""},
		{"key functions", matcher, `m = r.sub == p.sub && keyGet(r.obj, p.obj) == "" && r.act == p.act`, ""},
		{"key functions with a name", matcher, `m = r.sub == p.sub && keyGet2(r.obj, p.obj, "id") != "2" && keyGet3(r.obj, "/{x}", "x") != "z" && r.act == p.act`, ""},
		{"second role definition", roles, "g = _, _\ng2 = _, _", ""},
		{"property of a field", matcher, matcher + " && r.sub.Age == p.obj", model.CodeModelMatcher},
		{"property of a policy field", matcher, matcher + " && p.obj.Owner == r.sub", model.CodeModelMatcher},
		{"method of a field", matcher, matcher + " && r.sub.IsAdmin()", model.CodeModelMatcher},
		{"rule as a condition", matcher, matcher + " && eval(p.act)", model.CodeModelMatcher},
		{"function nobody gave", matcher, matcher + " && isOwner(r.sub, r.obj)", model.CodeModelMatcher},
		{"function with too few arguments", matcher, matcher + " && keyMatch(r.obj)", model.CodeModelMatcher},
		{"function of a truth value", matcher, matcher + " && keyMatch(r.obj == p.obj, p.obj)", model.CodeModelMatcher},
		{"roles with too many arguments", matcher, matcher + " && g(r.sub, p.sub, r.obj, r.act)", model.CodeModelMatcher},
		{"roles with a tenant they have not", matcher, matcher + " && g(r.sub, p.sub, r.obj)", model.CodeModelMatcher},
		{"number and text compared in size", matcher, matcher + " && r.obj > 3", model.CodeModelMatcher},
		{"number and text never equal", matcher, matcher + " && p.act == 18", model.CodeModelMatcher},
		{"date for a text", matcher, matcher + ` && r.obj != "2024-01-31"`, model.CodeModelMatcher},
		{"arithmetic on texts", matcher, matcher + ` && r.obj - p.obj == 0`, model.CodeModelMatcher},
		{"text for a truth value", matcher, matcher + " && r.obj", model.CodeModelMatcher},
		{"not a text", matcher, matcher + " && !r.obj", model.CodeModelMatcher},
		{"choice by a text", matcher, matcher + " && (r.obj ? true : false)", model.CodeModelMatcher},
		{"list for a truth value", matcher, matcher + " && (true, false)", model.CodeModelMatcher},
		{"number for a verdict", matcher, "m = 1 + 1", model.CodeModelOpen},
		{"request field nobody fills", request, "r = sub, obj, act, region", model.CodeModelRequest},
		{"second request definition", request, request + "\nr2 = sub, obj, act", model.CodeModelUnused},
		{"second policy definition", policy, policy + "\np2 = sub, act", model.CodeModelUnused},
		{"second effect", effect, effect + "\ne2 = " + someAllow, model.CodeModelUnused},
		{"second matcher", matcher, matcher + "\nm2 = r.sub == p.sub", model.CodeModelUnused},
		{"conditional roles of one parameter", roles, "g = _, _, (_)", model.CodeModelRoles},
		{"conditional roles of three parameters", roles, "g = _, _, (_, _, _)", model.CodeModelRoles},
		{"roles of four fields", roles, "g = _, _, _, _", model.CodeModelRoles},
		{"tenant patterns without tenants", matcher, "m = g(r.sub, p.sub) && keyMatch(r_dom, p_dom) && r.obj == p.obj && r.act == p.act", model.CodeModelMatcher},
		{"address of the client", matcher, matcher + ` && ipMatch(r.obj, "10.0.0.0/8")`, model.CodeModelMatcher},
		{"section of its own", effect, effect + "\n[obligations]\no = log", model.CodeModelUnused},
		{"constraints", effect, effect + "\n[constraint_definition]\nc = sod(\"a\", \"b\") # one of them\nc2 = sodMax([\"a\", \\\n  \"b\"], 1)\nc3 = roleMax(\"u\", 1)\nc4 = rolePre(\"x\", \"u\")", ""},
		{"constraint of another form", effect, effect + "\n[constraint_definition]\nc = sod(\"a\")", model.CodeModelConstraint},
		{"constraint nobody knows", effect, effect + "\n[constraint_definition]\nc = needs(\"a\", \"b\")", model.CodeModelConstraint},
		{"constraint of a role and itself", effect, effect + "\n[constraint_definition]\nc = sodMax([\"a\", \"a\"], 1)", model.CodeModelConstraint},
		{"constraint without a value", effect, effect + "\n[constraint_definition]\nc =", model.CodeModelConstraint},
		{"constraint behind a gap", effect, effect + "\n[constraint_definition]\nc = sod(\"a\", \"b\")\nc3 = sod(\"a\", \"b\")", model.CodeModelConstraint},
		{"constraint of another name", effect, effect + "\n[constraint_definition]\nsod = sod(\"a\", \"b\")", model.CodeModelConstraint},
		{"constraint given twice", effect, effect + "\n[constraint_definition]\nc = sod(\"a\", \"b\")\nc = sod(\"x\", \"y\")", model.CodeModelConstraint},
		{"deny override", effect, "e = !some(where (p.eft == deny))", model.CodeModelOpen},
		{"effect of its own", effect, "e = max(p.eft)", model.CodeModelEffect},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(baseModel, c.old) {
				t.Fatalf("the base model has no %q", c.old)
			}
			text := strings.Replace(baseModel, c.old, c.with, 1)
			const rules = "p, u, /a, GET\np, u, /b/:id, GET\np, root, /*, POST\ng, v, u\n"
			if c.want != "" {
				got := findings(t, ModelText("m.conf", text), files("p.csv", rules), []string{"p.csv"})
				if !slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, "m.conf:") && strings.HasSuffix(f, ":"+c.want) }) {
					t.Errorf("got %q, want %s with its place", got, c.want)
				}
				return
			}
			compareAll(t, text, rules)
		})
	}
}

// compareAll asks Casbin and an authorizer all possible questions.
func compareAll(t *testing.T, text, rules string, opts ...Option) {
	t.Helper()
	a := open(t, ModelText("m.conf", text), rules, opts...)
	m, err := casbinmodel.NewModelFromString(text)
	if err != nil {
		t.Fatal(err)
	}
	e, err := casbin.NewEnforcer(m, lineAdapter{lines: strings.Split(strings.TrimSpace(rules), "\n")})
	if err != nil {
		t.Fatal(err)
	}
	allowed := 0
	for _, sub := range []string{"u", "v", "w", "root", "x1"} {
		for _, obj := range []string{"/a", "/b/1", "/b/2", "/c", "/z/1"} {
			for _, act := range []string{"GET", "POST", "PUT"} {
				want, err := e.Enforce(sub, obj, act)
				if err != nil {
					t.Fatalf("casbin: %v", err)
				}
				d, err := a.Enforce(context.Background(), sub, obj, act)
				if err != nil || d.Allowed != want {
					t.Errorf("%s %s %s: got %v, %v; casbin says %v", sub, obj, act, d.Allowed, err, want)
				}
				if want {
					allowed++
				}
			}
		}
	}
	if allowed == 0 {
		t.Error("nothing is allowed: the case proves nothing")
	}
}
