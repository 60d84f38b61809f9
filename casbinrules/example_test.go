package casbinrules_test

import (
	"context"
	"errors"
	"fmt"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

func policyFiles(policy string) fstest.MapFS {
	return fstest.MapFS{"policy.csv": {Data: []byte(policy)}}
}

func ExampleOpenFS() {
	rules, err := casbinrules.OpenFS(policyFiles(`
# editors write reports, nobody touches the archive
p, editor, /reports/:id,     *, allow
p, editor, /reports/archive, *, deny
g, erin, editor
`), casbinrules.RBACWithDeny(), []string{"policy.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range []string{"/reports/7", "/reports/archive", "/users"} {
		d, err := rules.Authorize(context.Background(), erin, core.Access{
			Action: "PUT", Resource: core.Resource{Path: path},
		})
		fmt.Println(path, d.Allowed, d.Reason, d.Rule, err)
	}
	// Output:
	// /reports/7 true allowed policy.csv:3 <nil>
	// /reports/archive false denied_by_rule policy.csv:4 <nil>
	// /users false no_rule_matched  <nil>
}

func ExampleFindingsError() {
	_, err := casbinrules.OpenFS(policyFiles(`p, editor, /reports, GET, allow
p, editor, /secret, GET, Deny
p, viewer, /reports, GET, allow # for now
`), casbinrules.RBACWithDeny(), []string{"policy.csv"})
	var found *casbinrules.FindingsError
	if errors.As(err, &found) {
		for _, f := range found.Findings {
			fmt.Printf("%s:%d:%d %s\n", f.File, f.Line, f.Column, f.Code)
		}
	}
	// Output:
	// policy.csv:2:26 bad_effect
	// policy.csv:3:33 inline_comment
}

func ExampleLintFS() {
	found, err := casbinrules.LintFS(policyFiles(`p, erin, /reports/:id, PUT
p, erin, /reports/*, get
`), casbinrules.RBAC(), []string{"policy.csv"},
		casbinrules.WithRoutes([]core.RouteInfo{{Method: "PUT", Pattern: "/reports/:id"}, {Method: "PATCH", Pattern: "/reports/:id"}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range found {
		fmt.Printf("%s:%d:%d: %s: %s\n", f.File, f.Line, f.Column, f.Severity, f.Code)
	}
	// Output:
	// policy.csv:1:1: warning: route_without_rule
	// policy.csv:1:24: warning: put_without_patch
	// policy.csv:2:22: error: method_case
}

func ExampleAuthorizer_RolesOf() {
	rules, err := casbinrules.OpenFS(policyFiles(`
p, viewer, /reports, GET
g, editor, viewer
`), casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The token brings the role editor; the policy links it to viewer.
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin", Roles: []string{"editor"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rules.RolesOf(context.Background(), erin))
	// Output: [viewer] <nil>
}

func ExampleModelText() {
	const model = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act && r.time < 18
`
	_, err := casbinrules.OpenFS(policyFiles("p, ann, /x, GET\n"), casbinrules.ModelText("model.conf", model), []string{"policy.csv"})
	fmt.Println(err)
	// Output:
	// casbinrules: model.conf:9:1: error: model_matcher: the matcher uses "r.time", which is not defined (use the fields of the request and policy definitions)
}
