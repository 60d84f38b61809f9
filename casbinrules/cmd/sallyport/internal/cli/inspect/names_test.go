package inspect

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

const (
	crudPolicy  = "p, editor, /articles/:id, update\np, editor, /articles/:id, delete\ng, erin, editor\n"
	namedPolicy = "p, editor, reports, publish\np, editor, reports, read\np, \"Ops, Platform\", /apps/:id, GET\np, editor, /reports/:id, PATCH\n" +
		"g, erin, editor\ng, \"Kim, Jr\", \"Ops, Platform\"\n"
)

// A deny test that passes because of a word without meaning in the policy proves nothing.
func TestDenyTestsDoNotPassByMisspelling(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": namedPolicy, "tenants.csv": "p, editor, acme, /x, GET\ng, erin, editor, acme\n",
		"crud.csv": crudPolicy, "age/model.conf": strings.NewReplacer("act, region\n[policy", "act, age\n[policy", "r.region == p.region", "r.age >= p.region").Replace(clitest.RegionModel),
		"age/policy.csv":    "p, viewer, /bar, GET, 18\ng, kim, viewer\n",
		"region/model.conf": clitest.RegionModel, "region/policy.csv": "p, clerk, /orders, GET, eu\np, clerk, /orders, GET, us-east-2\ng, ann, clerk\n"})
	tests := []struct{ policy, line, want string }{
		{"", `deny editor /reports/7 PATCH`, `error: "editor" is the name of a role that may, and a user by that name is refused whatever the role may: name somebody who has the role, as in sam[editor], or write editor[] for a user of that name`},
		{"", `deny "Ops, Platform" /apps/7 GET`, `as in sam["Ops, Platform"]`},
		{"", `deny erin reports/7 PATCH`, `error: no line of the policy is about the object "reports/7": did you mean /reports/7?`},
		{"", `deny Anonymous /reports/7 PATCH`, `error: the policy knows no subject "Anonymous": did you mean anonymous?`},
		{"crud", `deny erin /articles/7 DELETE`, `error: no line of the policy is about the action "DELETE": did you mean delete?`},
		{"region", `deny ann region=EU /orders GET`, `error: no line of the policy is about region=EU: did you mean eu?`},
		{"", `deny kim["Ops, Platform"] /apps/7 GET`, "kim (Ops, Platform) may GET /apps/7: policy.csv:3 allows it"},
		{"", `deny "Kim, Jr" /apps/7 GET`, "Kim, Jr may GET /apps/7: policy.csv:3 allows it"},
		{"", `deny kim[Ops, Platform] /apps/7 GET`, `error: the policy knows no role "Ops"; the policy knows no role "Platform"`},
		{"", `deny kim["Ops, Platfrom"] /apps/7 GET`, `error: the policy knows no role "Ops, Platfrom": did you mean Ops, Platform?`},
		{"", `deny kim[edtior] /apps/7 GET`, `did you mean editor?`},
		{"", `allow erin[edtior] reports read`, `did you mean editor?`},
		{"", `deny ernn reports publish`, `error: the policy knows no subject "ernn": did you mean erin?`},
		{"", `deny Erin reports publish`, `did you mean erin?`},
		{"", `deny erin /report/7 PATCH`, `error: no line of the policy is about the object "/report/7": did you mean /reports/:id?`},
		{"", `deny erin /Reports/7 PATCH`, `did you mean /reports/:id?`},
		{"", `deny erin reprots publish`, `did you mean reports?`},
		{"", `deny erin reports pubish`, `error: no line of the policy is about the action "pubish": did you mean publish?`},
		{"", `deny erin /reports/7 PATHC`, `did you mean PATCH?`},
		{"", `deny erin /reports/7 patch`, `did you mean PATCH?`},
		{"", `deny erin in acme reports publish`, `error: the model has no tenants`},
		{"", `deny erin region=eu reports publish`, `error: the model asks for no attribute "region"`},
		{"", `deny sam publish reports`, "error: object and action are the other way round: the object comes first, as in policy lines; write reports publish"},
		{"", `allow erin publish reports`, "error: object and action are the other way round"},
		{"tenants", `deny erin in amce /x GET`, `error: the policy knows no tenant "amce": did you mean acme?`},
		{"tenants", `deny erin /x GET`, "error: the model has tenants and none is given"},
		{"region", `deny ann /orders GET`, "error: the model asks for the attribute region and none is given"},
		{"region", `deny ann regoin=eu /orders GET`, `error: the model asks for no attribute "regoin": did you mean region? (it asks for region); the model asks for the attribute region`},
		{"region", `deny ann region=eu /orders GET`, "ann may GET /orders: policy.csv:1 allows it"},
	}
	for _, value := range []string{"nine", `""`, "018"} {
		line := "deny kim age=" + value + " /bar GET"
		got := runTest(t, dir, "age", line, "--attribute", "age=number")
		if got.Code != exitFindings || !strings.Contains(got.Stdout, "error: attribute age: the value is not a number") {
			t.Errorf("%s: got %+v", line, got)
		}
	}
	for _, c := range tests {
		got := runTest(t, dir, c.policy, c.line)
		if got.Code != exitFindings || !strings.Contains(got.Stdout, c.want) || !strings.HasSuffix(got.Stdout, "0 passed, 1 failed\n") {
			t.Errorf("%s %s: got %+v\nwant %s", c.policy, c.line, got, c.want)
		}
	}
	if got := runTest(t, dir, "region", "deny ann region=us-west-2 /orders GET"); got.Code != exitOK || got.Stderr != "" {
		t.Errorf("a value like that of a rule: got %+v", got)
	}
	if got := runTest(t, dir, "", "deny ernn reports publish", "--allow-unknown"); got.Code != exitOK || !strings.Contains(got.Stderr, "t.tests:1: warning: ") {
		t.Errorf("--allow-unknown: got %+v", got)
	}
}

// runTest runs one test of the policy in dir.
func runTest(t *testing.T, dir, policy, line string, flags ...string) outcome {
	t.Helper()
	d := write(t, map[string]string{"t.tests": line + "\n"})
	args := map[string][]string{
		"": {"-p", "DIR/policy.csv"}, "tenants": {"-m", "rbac-tenants", "-p", "DIR/tenants.csv"}, "crud": {"-p", "DIR/crud.csv"},
		"patterns": {"-p", "DIR/patterns.csv", "--role-patterns", "g=keyMatch"}, "tenant patterns": {"-m", "rbac-tenants-patterns", "-p", "DIR/any.csv"},
		"region": {"-p", "DIR/region/policy.csv"},
		"age":    {"-p", "DIR/age/policy.csv"},
	}[policy]
	got := run(t, dir, "", append(append([]string{"test", d + "/t.tests"}, args...), flags...)...)
	got.Stderr = strings.ReplaceAll(got.Stderr, d+"/", "")
	return got
}

func TestPassingTestsSayWhatTheyDoNotProve(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": namedPolicy, "tenants.csv": "p, editor, acme, /x, GET\ng, erin, editor, acme\n",
		"region/model.conf": clitest.RegionModel, "region/policy.csv": "p, clerk, /orders, GET, eu\ng, ann, clerk\n",
		"crud.csv": crudPolicy, "patterns.csv": "p, reader, /x, GET\ng, svc-*, reader\n", "any.csv": "p, editor, eu-*, /x, GET\ng, erin, editor, eu-*\n"})
	for _, c := range []struct{ policy, line, stderr string }{
		{"", "allow erin reports publish", ""},
		{"", "allow erin /reports/7 PATCH", ""},
		{"", "deny erin /reports/7 DELETE", ""},
		{"", `allow kim["Ops, Platform"] /apps/7 GET`, ""},
		{"", "deny sam[] reports publish", ""},
		{"", "deny editor[] /reports/7 PATCH", ""},
		{"", "deny editor /reports/7 DELETE", ""},
		{"crud", "deny erin /articles/7 GET", `warning: no line of the policy is about the action "GET"`},
		{"patterns", "deny svc-1 /x PUT", ""},
		{"patterns", "allow svc-1 /x GET", ""},
		{"tenant patterns", "deny erin in eu-1 /x PUT", ""},
		{"tenant patterns", "allow erin in eu-acme /x GET", ""},
		{"tenant patterns", "deny erin in us-1 /x GET", `warning: the policy knows no tenant "us-1"`},
		{"", "deny anonymous reports publish", ""},
		{"", "deny sam reports publish", `t.tests:1: warning: the policy knows no subject "sam"`},
		{"", "deny erin /metrics GET", `t.tests:1: warning: no line of the policy is about the object "/metrics"`},
		{"", "deny erin reports archive", `warning: no line of the policy is about the action "archive"`},
		{"", "deny erin /v2/7 GET", `warning: no line of the policy is about the object "/v2/7"`},
		{"", "allow erin PATCH /reports/7", "t.tests:1: hint: read as /reports/7 PATCH: the object comes before the action"},
		{"", "deny erin DELETE reports", "t.tests:1: hint: read as reports DELETE"},
		{"", "deny erin archive /reports/7", "hint: read as /reports/7 archive"},
		{"tenants", "deny erin in globex /x GET", `warning: the policy knows no tenant "globex"`},
		{"tenants", `deny erin in "" /x GET`, ""},
		{"region", "allow ann region=eu /orders GET", ""},
		{"region", `allow sam[clerk] region="eu" /orders GET`, ""},
		{"region", "deny ann region=us /orders GET", ""},
	} {
		got := runTest(t, dir, c.policy, c.line)
		if got.Code != exitOK || got.Stdout != "1 passed, 0 failed\n" || !strings.Contains(got.Stderr, c.stderr) || c.stderr == "" && got.Stderr != "" {
			t.Errorf("%s %s: got %+v\nwant %s", c.policy, c.line, got, c.stderr)
		}
	}
}

// If the policy itself names an object like a method, or an action like a path, it is
// read as written.
func TestPolicyDecidesWhatAWordIs(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, erin, GET, describe\np, erin, a, b\np, erin, b, c\n"})
	for line, want := range map[string]string{
		"allow erin GET describe": "",
		"allow erin a b":          "",
		"allow erin b c":          "",
		"allow erin b a":          "the other way round", // neither is in the policy as object or action
		"allow erin describe GET": "may not GET describe",
	} {
		got := runTest(t, dir, "", line)
		if failed := got.Code != exitOK; failed != (want != "") || !strings.Contains(got.Stdout, want) {
			t.Errorf("%s: got %+v, want %q", line, got, want)
		}
	}
}

func TestExplainReadsOneOrder(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": namedPolicy, "region/model.conf": clitest.RegionModel, "region/policy.csv": "p, clerk, /orders, GET, eu\ng, ann, clerk\n"})
	for _, c := range []struct {
		code           int
		stdout, stderr string
		args           []string
	}{
		{exitOK, "allow: erin may PATCH /reports/7: ", "", []string{"erin", "/reports/7", "PATCH"}},
		{exitOK, "allow: erin may PATCH /reports/7: ", "sallyport: hint: read as /reports/7 PATCH: the object comes before the action\n", []string{"erin", "PATCH", "/reports/7"}},
		{exitOK, "allow: erin may publish reports: ", "", []string{"erin", "reports", "publish"}},
		{exitUsage, "", "object and action are the other way round", []string{"erin", "publish", "reports"}},
		{exitOK, "allow: kim (Ops, Platform) may GET /apps/7", "", []string{`kim:"Ops, Platform"`, "/apps/7", "GET"}},
		{exitOK, "allow: kim (Ops, Platform, editor) may GET /apps/7", "", []string{`kim:"Ops, Platform", editor`, "/apps/7", "GET"}},
		{exitUsage, "", "the roles of kim", []string{`kim:"Ops, Platform`, "/apps/7", "GET"}},
		{exitOK, "deny: ", `sallyport: note: the policy knows no role "edtior": did you mean editor?`, []string{"kim:edtior", "/reports/7", "PATCH"}},
		{exitOK, "deny: ", `sallyport: note: the policy knows no subject "ernn": did you mean erin?`, []string{"ernn", "/reports/7", "PATCH"}},
		{exitOK, "allow: ann may GET /orders: ", "", []string{"-p", "DIR/region", "--claim", "region=eu", "ann", "/orders", "GET"}},
		{exitOK, "deny: ann may not GET /orders: no rule allows it\n", "", []string{"-p", "DIR/region", "--claim", "region=us", "ann", "/orders", "GET"}},
		{exitOK, "deny: ann may not GET /orders: attribute region: ",
			"sallyport: note: the model asks for the attribute region and none is given", []string{"-p", "DIR/region", "ann", "/orders", "GET"}},
		{exitOK, "deny: ", `sallyport: note: the model asks for no attribute "regoin": did you mean region? (it asks for region)`, []string{"-p", "DIR/region", "--claim", "regoin=eu", "ann", "/orders", "GET"}},
		{exitOK, "deny: ", "sallyport: note: a request without credentials has no roles, tenant or attributes", []string{"-p", "DIR/region", "--claim", "region=eu", "anonymous", "/orders", "GET"}},
		{exitOK, "deny: ", "sallyport: note: a request without credentials has no roles, tenant or attributes", []string{"anonymous:editor", "/reports/7", "PATCH"}},
		{exitUsage, "", "--claim region is given 2 times", []string{"-p", "DIR/region", "ann", "/orders", "GET", "--claim", "region=eu", "--claim", "region=us"}},
		{exitUsage, "", "--claim region: write NAME=VALUE", []string{"-p", "DIR/region", "ann", "/orders", "GET", "--claim", "region"}},
	} {
		got := run(t, dir, "", append([]string{"explain", "-p", "DIR/policy.csv"}, c.args...)...)
		if c.args[0] == "-p" {
			got = run(t, dir, "", append([]string{"explain"}, c.args...)...)
		}
		if got.Code != c.code || !strings.HasPrefix(got.Stdout, c.stdout) || !strings.Contains(got.Stderr, c.stderr) || c.stderr == "" && got.Stderr != "" {
			t.Errorf("%q: got %+v\nwant %+v", c.args, got, c)
		}
	}
}

// TestSubjectsWithAColon: the name of a client, such as client:web, is not silently
// taken for a user with a role.
func TestSubjectsWithAColon(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, client:web, /a, GET\np, ci, /b, GET\ng, repo:x:main, ci\n"})
	const note = "which is written with a colon at its end: "
	for _, c := range []struct {
		stdout, stderr string
		args           []string
	}{
		{"deny: client (web) may not", note + `"client:web:"`, []string{"explain", "client:web", "/a", "GET"}},
		{"allow: client:web may", "", []string{"explain", "client:web:", "/a", "GET"}},
		{"deny: repo:x (main) may not", note + `"repo:x:main:"`, []string{"explain", "repo:x:main", "/b", "GET"}},
		{"allow: sam (ci) may", "", []string{"explain", "sam:ci", "/b", "GET"}},
		{"allow: client:web (ci) may", "", []string{"explain", "client:web", "--role", "ci", "/b", "GET"}},
		{"", note + `"client:web:"`, []string{"objects", "client:web", "GET"}},
		{"/a  ", "", []string{"objects", "client:web:", "GET"}},
	} {
		got := run(t, dir, "", append(c.args, "-p", "DIR/policy.csv")...)
		if got.Code != exitOK || !strings.HasPrefix(got.Stdout, c.stdout) || !strings.Contains(got.Stderr, c.stderr) || c.stderr == "" && got.Stderr != "" {
			t.Errorf("%q: got %+v\nwant %+v", c.args, got, c)
		}
	}
}

// TestNamesWithBlanksAreShownInQuotes: nobody sees otherwise in what a name differs.
func TestNamesWithBlanksAreShownInQuotes(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, bob , /a, GET\n"})
	got := run(t, dir, "", "explain", "-p", "DIR/policy.csv", "--as-casbin", "bob", "/a", "GET")
	if !strings.Contains(got.Stderr, `did you mean "bob "?`) || !strings.Contains(got.Stdout, `near: "bob " has GET on /a at policy.csv:1, not bob`) {
		t.Errorf("%+v", got)
	}
}
