package cli

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// argoModel is built like Argo CD's: a request field besides subject, object and action,
// and a function that Casbin does not have.
const argoModel = "[request_definition]\nr = sub, res, act, obj\n[policy_definition]\np = sub, res, act, obj, eft\n[role_definition]\ng = _, _\n" +
	"[policy_effect]\ne = some(where (p.eft == allow)) && !some(where (p.eft == deny))\n[matchers]\n" +
	"m = g(r.sub, p.sub) && globOrRegexMatch(r.res, p.res) && globOrRegexMatch(r.act, p.act) && globOrRegexMatch(r.obj, p.obj)\n"

const argoPolicy = `p, role:deployer, applications, get, shop/*, allow
p, role:deployer, applications, sync, shop/*, allow
p, role:deployer, applications, delete, shop/payments, deny
p, role:owner, *, *, */*, allow
g, "Shop, Platform", role:deployer
g, ops, role:owner
`

func TestEveryCommandTakesFunctionsAndAttributes(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": argoModel, "policy.csv": argoPolicy,
		"wider.csv":  strings.Replace(argoPolicy, "applications, get", "[al]*, get", 1),
		"nodeny.csv": strings.Replace(argoPolicy, "p, role:deployer, applications, delete, shop/payments, deny\n", "", 1),
		"a.tests": `allow kim["Shop, Platform"] res=applications shop/cart sync
deny kim["Shop, Platform"] res=applications shop/cart delete
deny kim["Shop, Platform","role:owner"] res=applications shop/payments delete
allow ops res=clusters shop/x update
`})
	const function = "globOrRegexMatch=globMatch"
	in := func(args ...string) []string { return append(args, "--function", function) }
	expect(t, dir, "", exitOK, "", "", in("lint", "-p", "DIR/policy.csv")...)
	expect(t, dir, "", exitOK, "4 passed, 0 failed\n", "", in("test", "DIR/a.tests")...)
	expect(t, dir, "\"Shop, Platform\", applications, sync, shop/a\nops, logs, get, x\n", exitOK, "allow\ndeny\n", "", in("check", "-p", "DIR/policy.csv")...)
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitOK, "allow: ops may get shop/a: policy.csv:4 allows it\n", []string{"explain", "-p", "DIR/policy.csv", "ops", "shop/a", "get", "--claim", "res=logs"}},
		{exitFindings, "+ role:deployer res=a gains get shop/* (new wider.csv:1); so does Shop, Platform\n", []string{"diff", "DIR/policy.csv", "DIR/wider.csv", "--fail-on", "widen", "--claim", "res=a"}},
		{exitFindings, " gains get shop/* (new wider.csv:1); so does Shop, Platform\n", []string{"diff", "DIR/policy.csv", "DIR/wider.csv", "--fail-on", "widen"}},
		{exitFindings, "+ role:deployer + role:owner res=applications gains delete shop/payments (new nodeny.csv:3)\n", []string{"diff", "DIR/policy.csv", "DIR/nodeny.csv", "--fail-on", "widen"}},
		{exitOK, "no change in effect, in ", []string{"diff", "DIR/policy.csv", "DIR/policy.csv", "--fail-on", "change"}},
		{exitOK, "method,route,sample,(no role) res=logs,role:deployer res=logs,role:owner res=logs\nget,shop/*,shop/sample,deny,deny,allow\n",
			[]string{"matrix", "-p", "DIR/policy.csv", "--claim", "res=logs", "--format", "csv"}},
		{exitOK, "is drawn as applications, sample; --claim chooses others", []string{"matrix", "-p", "DIR/policy.csv"}},
	} {
		got := run(t, dir, "", in(c.args...)...)
		if got.Code != c.code || !strings.Contains(got.Stdout, c.want) || got.Stderr != "" {
			t.Errorf("%q: got %+v\nwant %d %s", c.args, got, c.code, c.want)
		}
	}
	for stderr, args := range map[string][]string{
		`the model asks for no attribute "rse"`:                  in("diff", "DIR/policy.csv", "DIR/wider.csv", "--claim", "rse=a"),
		`the model asks for no attribute "rsE"`:                  in("matrix", "-p", "DIR/policy.csv", "--claim", "rsE=a"),
		`function alias f: unknown function "glob": use one of `: {"lint", "-p", "DIR/policy.csv", "--function", "f=glob"},
		`--function f: write NAME=BUILTIN, such as`:              {"lint", "-p", "DIR/policy.csv", "--function", "f"},
		`function alias f: the function is given twice`:          {"explain", "-p", "DIR/policy.csv", "a", "b", "c", "--function", "f=keyMatch", "--function", "f=keyMatch"},
	} {
		expect(t, dir, "", exitUsage, "", stderr, args...)
	}
	got := run(t, dir, "", "lint", "-p", "DIR/policy.csv")
	if got.Code != exitFindings || !strings.Contains(got.Stdout, `the matcher calls "globOrRegexMatch", which is neither a function nor a role definition`) || !strings.Contains(got.Stdout, "--function") {
		t.Errorf("lint without --function: got %+v", got)
	}
}

// A type for a field that the model lacks would have no effect, and the intended field
// would be compared as a text.
func TestATypeForAFieldThatTheModelLacksIsAnError(t *testing.T) {
	levels := strings.ReplaceAll(clitest.RegionModel, "region", "level")
	dir := write(t, map[string]string{"model.conf": levels, "policy.csv": "p, clerk, /bar, GET, 9\n", "t.tests": "deny kim level=9 /bar GET\n",
		"plain/model.conf": presets["rbac"]().Text(), "plain/policy.csv": "p, clerk, /bar, GET\n", "plain/t.tests": "deny kim /bar GET\n"})
	commands := [][]string{{"lint", "-p"}, {"explain", "kim", "/bar", "GET", "-p"}, {"check", "-p"}, {"matrix", "-p"}, {"test", "t.tests", "-p"}, {"diff", "old"}}
	for _, c := range commands {
		in := func(dir string, attributes ...string) []string {
			args := append(c[:len(c):len(c)], dir+"/policy.csv")
			switch c[0] {
			case "diff":
				args = []string{"diff", dir + "/policy.csv", dir + "/policy.csv"}
			case "test":
				args[1] = dir + "/t.tests"
			}
			for _, a := range attributes {
				args = append(args, "--attribute", a)
			}
			return args
		}
		for stderr, args := range map[string][]string{
			`sallyport: --attribute levle=number: the model asks for no attribute "levle": did you mean level? (it asks for level)`: in("DIR", "levle=number"),
			`sallyport: --attribute zone=ip: the model asks for no attribute "zone" (it asks for level)`:                            in("DIR", "level=number", "zone=ip"),
			`sallyport: --attribute level=number: the model asks for no attribute "level" (it asks for none)`:                       in("DIR/plain", "level=number"),
		} {
			expect(t, dir, "", exitUsage, "", stderr, args...)
		}
		if got := run(t, dir, "", in("DIR", "level=number")...); strings.Contains(got.Stderr, "--attribute") {
			t.Errorf("%s: %+v", c[0], got)
		}
	}
	// The field may be in the model of either policy.
	if got := run(t, dir, "", "diff", "DIR/plain/policy.csv", "DIR/policy.csv", "--attribute", "level=number", "--claim", "level=8"); got.Code != exitOK || !strings.Contains(got.Stdout, "0 gained, 1 lost") {
		t.Errorf("a field of one of two models: %+v", got)
	}
	expect(t, dir, "", exitUsage, "", `no attribute "levle": did you mean level? (it asks for level)`, "diff", "DIR/plain/policy.csv", "DIR/policy.csv", "--attribute", "levle=number")
}

// diff names what it could not compare, and no gate passes because of it.
func TestDiffFailsForWhatItCouldNotCompare(t *testing.T) {
	model := func(matcher string) string {
		return "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n" +
			"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = " + matcher + "\n"
	}
	twice := write(t, map[string]string{"model.conf": model("g(r.sub, p.sub) && keyMatch4(r.obj, p.obj) && r.act == p.act"),
		"old.csv": "p, ann, \"/{a}/{a}\", GET\np, ann, \"/{a}/{b}\", GET\n", "new.csv": "p, ann, \"/{b}/{b}\", GET\np, ann, \"/{a}/{b}\", GET\n", "wide.csv": "p, ann, \"/{a}/{a}\", GET\np, ann, \"/{a}/{b}\", *\n"})
	for _, flags := range [][]string{{"--fail-on", "widen"}, {"--fail-on", "change"}} {
		expect(t, twice, "", exitUsage, "not compared: old old.csv:1: p, ann, /{a}/{a}, GET\nnot compared: new new.csv:1: p, ann, /{b}/{b}, GET\n"+
			"  because not every kind of r.obj could be generated for /{a}/{a} (keyMatch4)\n  because not every kind of r.obj could be generated for /{b}/{b} (keyMatch4)\n"+
			"no change seen in 20 requests compared, and 2 changed rules not compared\n",
			"2 changed rules could not be compared", append([]string{"diff", "DIR/old.csv", "DIR/new.csv"}, flags...)...)
	}
	got := run(t, twice, "", "diff", "DIR/old.csv", "DIR/new.csv")
	if got.Code != exitOK || !strings.Contains(got.Stdout, "not compared: ") {
		t.Errorf("without --fail-on: got %+v", got)
	}
	got = run(t, twice, "", "diff", "DIR/old.csv", "DIR/new.csv", "--format", "json", "--fail-on", "widen")
	if got.Code != exitUsage || !strings.Contains(got.Stdout, `"not_compared": [`) || !strings.Contains(got.Stdout, `"gaps": [`) {
		t.Errorf("json: got %+v", got)
	}
	// Nothing changed, so nothing was left uncompared.
	expect(t, twice, "", exitOK, "no change in effect, in 20 requests compared\n", "", "diff", "DIR/old.csv", "DIR/old.csv", "--fail-on", "change")

	region := write(t, map[string]string{"model.conf": clitest.RegionModel, "old.csv": "p, clerk, /orders, GET, eu\ng, ann, clerk\n",
		"new.csv": "p, clerk, /orders, GET, eu\np, clerk, /orders, DELETE, eu\ng, ann, clerk\ng, mallory, clerk\n"})
	expect(t, region, "", exitFindings, "+ clerk region=eu gains DELETE /orders (new new.csv:2); so do ann, mallory\n"+
		"+ mallory region=eu gains GET /orders (new new.csv:1)\n2 gained, 0 lost, in 96 requests compared\n", "", "diff", "DIR/old.csv", "DIR/new.csv", "--fail-on", "widen")
	expect(t, region, "", exitOK, "method,route,sample,(no role) region=eu,clerk region=eu\nGET,/orders,/orders,deny,allow\n", "", "matrix", "-p", "DIR/old.csv", "--format", "csv")
}

func TestDiffSeesTextsWithoutSlashes(t *testing.T) {
	glob := "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n" +
		"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && globMatch(r.obj, p.obj) && r.act == p.act\n"
	dir := write(t, map[string]string{"model.conf": glob, "old.csv": "p, reader, team-a-*, list\ng, ann, reader\n", "new.csv": "p, reader, *, list\np, reader, *, purge\ng, ann, reader\n"})
	got := run(t, dir, "", "diff", "DIR/old.csv", "DIR/new.csv", "--fail-on", "widen")
	if got.Code != exitFindings || !strings.HasPrefix(got.Stdout, "+ reader gains list * (new new.csv:1); so does ann\n+ reader gains purge * (new new.csv:2); so does ann\n2 gained, 0 lost") {
		t.Errorf("got %+v", got)
	}
	expect(t, dir, "", exitOK, "method,route,sample,(no role),reader\nlist,*,sample,deny,allow\npurge,*,sample,deny,allow\n", "", "matrix", "-p", "DIR/new.csv", "--format", "csv")
}

// If g links actions, they are the rows of a table, not names of roles.
func TestMatrixOfLinkedActions(t *testing.T) {
	model := "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n" +
		"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = r.sub == p.sub && r.obj == p.obj && g(p.act, r.act)\n"
	dir := write(t, map[string]string{"model.conf": model, "policy.csv": "p, ann, doc1, owner\np, bob, doc1, guest\ng, owner, read\ng, owner, write\ng, guest, read\n"})
	expect(t, dir, "", exitOK, "method,route,sample,(no role),ann,bob\nowner,doc1,doc1,deny,allow,deny\n"+
		"read,doc1,doc1,deny,allow,allow\nwrite,doc1,doc1,deny,allow,deny\nguest,doc1,doc1,deny,deny,allow\n", "", "matrix", "-p", "DIR", "--users", "--format", "csv")
}
