package inspect

import "testing"

func TestLists(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac-deny", "policy.csv": `p, viewer, /reports, GET, allow
p, viewer, /reports/:id, GET, allow
p, viewer, /reports/7, GET, deny
p, erin, "/odd, too", GET, allow
g, erin, viewer
`})
	p := func(args ...string) []string { return append(args, "-p", "DIR/policy.csv", "-m", "rbac-deny") }
	for _, c := range []struct {
		args   []string
		stdout string
	}{
		{p("objects", "erin", "GET"), "/odd, too  policy.csv:4\n/reports  policy.csv:1\n/reports/:id  (keyMatch2)  policy.csv:2\n"},
		{p("objects", "zoe:viewer", "GET", "/x", "/reports/7", "/reports/8"), "/reports/8\n"},
		{p("objects", "zoe", "GET"), ""},
		{p("objects", "zoe", "GET", "--format", "json"), "[]\n"},
		{p("objects", "zoe", "GET", "--role", "viewer", "--format", "json"), "[\n  {\n    \"function\": \"==\",\n    \"object\": \"/reports\",\n    \"rule\": \"policy.csv:1\"\n  },\n  {\n    \"function\": \"keyMatch2\",\n    \"object\": \"/reports/:id\",\n    \"rule\": \"policy.csv:2\"\n  }\n]\n"},
		{p("subjects", "/reports", "GET"), "user erin\nrole erin\nrole viewer\n"},
		{p("subjects", "/reports/7", "GET"), ""},
		{p("subjects", "/reports", "GET", "--format", "json"), "{\n  \"users\": [\n    \"erin\"\n  ],\n  \"roles\": [\n    \"erin\",\n    \"viewer\"\n  ],\n  \"anybody\": false,\n  \"anonymous\": false\n}\n"},
	} {
		expect(t, dir, "", exitOK, c.stdout, "", c.args...)
	}
	expect(t, dir, "", exitUsage, "", "objects wants a subject and an action, and got 1 argument\n", "objects", "erin")
	expect(t, dir, "", exitUsage, "", "cannot be listed: WithCasbinSemantics (--as-casbin, casbin_semantics) leaves the policy to Casbin", p("objects", "erin", "GET", "--as-casbin")...)
}
