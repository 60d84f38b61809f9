package casbinrules_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
)

// A list that a database makes page by page takes the policy as a condition.
func ExampleAuthorizer_Objects() {
	rules, err := casbinrules.OpenFS(policyFiles(`
p, viewer, /reports/:id, GET, allow
p, viewer, /reports/secret, *, deny
g, erin, viewer
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
	set, err := rules.Objects(context.Background(), erin, casbinrules.Action{Name: "GET"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.Contains("/reports/7"))
	fmt.Println(set.Contains("/reports/secret"))
	condition, args, err := set.SQL("path", casbinrules.QuestionMark)
	if err != nil {
		fmt.Println(err)
		return
	}
	query := "select path from report where " + condition + " order by path limit 50"
	fmt.Println(strings.Count(query, "?"), "parameters:", args)
	// Output:
	// true <nil>
	// false <nil>
	// 2 parameters: [^/reports/[^/]+$ /reports/secret]
}
