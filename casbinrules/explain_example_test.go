package casbinrules_test

import (
	"context"
	"fmt"
	"net/http"
	"testing/fstest"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

func ExampleAuthorizer_Explain() {
	rules, err := casbinrules.OpenFS(policyFiles(`
p, viewer, /reports/:id, GET
p, editor, /reports/:id, PUT
g, editor, viewer
g, erin, editor
`), casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	erin, err := core.NewPrincipal(core.PrincipalInfo{ID: "erin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, method := range []string{"GET", "PATCH"} {
		why, err := rules.Explain(context.Background(), erin, core.Access{
			Action: method, Resource: core.Resource{Path: "/reports/7"},
		})
		fmt.Println(why, err)
	}
	// Output:
	// erin may GET /reports/7: policy.csv:2 allows it
	//   rule: policy.csv:2: p, viewer, /reports/:id, GET
	//   roles: erin → editor (policy.csv:5) → viewer (policy.csv:4) <nil>
	// erin may not PATCH /reports/7: no rule allows it
	//   near: erin has PUT on /reports/:id at policy.csv:3, not PATCH
	//   near: erin has GET on /reports/:id at policy.csv:2, not PATCH <nil>
}

func ExampleAuthorizer_ExplainQuery() {
	rules, err := casbinrules.OpenFS(policyFiles("p, editor, /reports, GET\n"), casbinrules.RBAC(), []string{"policy.csv"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rules.ExplainQuery(context.Background(), casbinrules.Query{
		Subject: "erin", Roles: []string{"editor"}, Object: "/reports", Action: http.MethodGet,
	}))
	// Output:
	// erin (editor) may GET /reports: policy.csv:1 allows it
	//   rule: policy.csv:1: p, editor, /reports, GET
	//   roles: erin → editor (from the credentials) <nil>
}

func ExampleAuthorizer_Reload() {
	files := fstest.MapFS{"policy.csv": {Data: []byte("p, erin, /reports, GET\n")}}
	rules, err := casbinrules.OpenFS(files, casbinrules.RBAC(), []string{"policy.csv"},
		casbinrules.WithReloadObserver(func(_ context.Context, e casbinrules.ReloadEvent) {
			fmt.Println(e.Outcome, "added:", e.Added, "removed:", e.Removed)
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, policy := range []string{"p, erin, /reports, GET\np, erin, /reports, POST\n", "p, erin, /reports\n"} {
		files["policy.csv"].Data = []byte(policy)
		if err := rules.Reload(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(rules.Version().Rules, "rules in force, the files are not:", rules.Status().Err != nil)
	// Output:
	// loaded added: [policy.csv:2: p, erin, /reports, POST] removed: []
	// rejected added: [] removed: []
	// casbinrules: reload: policy.csv:1:10: error: field_count: a p line has 3 fields after the p, this one 2 (a line reads p, sub, obj, act)
	// 2 rules in force, the files are not: true
}
