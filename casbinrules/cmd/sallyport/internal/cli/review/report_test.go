package review

import (
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
)

// TestReport: the page answers every question, or says that it was not asked.
func TestReport(t *testing.T) {
	text := strings.Replace(policy, "g, erin, editor\n", "g, erin, editor\ng, erin, admin\n", 1) + "p, <ghost>, /none, GET\n"
	dir := write(t, map[string]string{
		"model.conf": "rbac", "policy.csv": text, "old.csv": policy, "decisions.jsonl": clitest.DecisionLines,
		"policy.tests":  "allow erin /reports/7 PATCH\n",
		"conflicts.csv": "# Editors are not administrators.\nroles, editor, admin\naccess, /reports/7, PATCH, /reports/7, DELETE\nroles, viewer, admin\n",
	})
	all := []string{"report", "-p", "DIR/policy.csv", "--since", "DIR/old.csv", "--tests", "DIR/policy.tests", "--log", "DIR/decisions.jsonl", "--conflicts", "DIR/conflicts.csv"}
	got := run(t, dir, "", all...)
	if got.Code != exitOK || got.Stderr != "" {
		t.Fatalf("got %d, %s", got.Code, got.Stderr)
	}
	shown := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(got.Stdout, ""))
	for _, want := range []string{
		"user erin has both editor and admin (Editors are not administrators.)",
		"user erin may do both: PATCH /reports/7 and DELETE /reports/7",
		"user alice may do both",
		"user erin has both viewer and admin",
		"+ erin gains",
		"<ghost>",
		"2 of 11 lines are covered (18.2%), by 1 test, of which 0 failed.",
		"3 requests could be decided again.",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(shown, "Not looked at") || strings.Contains(got.Stdout, "<ghost>") {
		t.Error("the page says that something was not checked, or has markup from the policy")
	}
	for _, anchor := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got.Stdout, -1) {
		if !strings.Contains(got.Stdout, `id="`+anchor[1]+`"`) {
			t.Errorf("a link leads nowhere: #%s", anchor[1])
		}
	}

	for range 2 { // a new file, and an existing one
		if got := run(t, dir, "", "report", "-p", "DIR/policy.csv", "-o", "DIR/report.html"); got.Code != exitOK || got.Stdout != "" {
			t.Fatalf("got %+v", got)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil || strings.Count(string(page), "Not looked at") != 4 {
		t.Errorf("without the flags: %v, %s", err, page)
	}
}

// TestReportInTenants: tenants are checked one by one, roles for any attributes, and no
// column of the table is empty or repeated.
func TestReportInTenants(t *testing.T) {
	dir := write(t, map[string]string{
		"model.conf": `[request_definition]
r = sub, dom, obj, act, region
[policy_definition]
p = sub, dom, obj, act, region
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && r.act == p.act && (p.region == "*" || r.region == p.region)
`,
		"policy.csv": `p, payer, acme, /payments, POST, *
p, payer, globex, /payments, POST, *
p, approver, acme, /payments/:id/approval, POST, eu
p, approver, globex, /payments/:id/approval, POST, *
g, erin, payer, acme
g, erin, approver, globex
g, sam, payer, acme
g, sam, lead, acme
g, lead, approver, acme
`,
		"conflicts.csv": "roles, payer, approver\naccess, /payments, POST, /payments/7/approval, POST\nroles, lead, approver\n",
	})
	got := run(t, dir, "", "report", "-p", "DIR/policy.csv", "--conflicts", "DIR/conflicts.csv", "--claim", "region=eu", "--claim", "region=us")
	if got.Code != exitOK {
		t.Fatalf("got %+v", got)
	}
	var conflicts []string
	for _, line := range regexp.MustCompile(`<li>([^<]* (?:has both|may do both)[^<]*)</li>`).FindAllStringSubmatch(got.Stdout, -1) {
		conflicts = append(conflicts, line[1])
	}
	want := []string{"role lead in acme has both lead and approver", "user sam in acme has both payer and approver",
		"user sam in acme region=eu may do both: POST /payments and POST /payments/7/approval", "user sam in acme has both lead and approver"}
	if !slices.Equal(conflicts, want) {
		t.Errorf("conflicts\ngot  %q\nwant %q", conflicts, want)
	}
	var heads []string
	for _, head := range regexp.MustCompile(`<th scope="col">([^<]*)</th>`).FindAllStringSubmatch(got.Stdout, -1) {
		heads = append(heads, head[1])
	}
	want = []string{"Route", "payer in acme", "approver in acme region=eu", "lead in acme region=eu", "erin in acme", "sam in acme region=eu", "sam in acme region=us",
		"payer in globex", "approver in globex", "erin in globex"}
	if !slices.Equal(heads, want) {
		t.Errorf("columns\ngot  %q\nwant %q", heads, want)
	}
	for _, idle := range []string{"(no role) in acme", "approver in acme region=us", "sam in globex"} {
		if !strings.Contains(got.Stdout, `<span class="whole">`+idle+`</span>`) {
			t.Errorf("%s is not reported as denied everything", idle)
		}
	}
}

// TestForbiddenPairs: a pair that proves nothing is an error at its position.
func TestForbiddenPairs(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	for text, want := range map[string]string{
		"":                                 "there is no pair",
		"# nothing\n":                      "there is no pair",
		"roles, editor\n":                  "conflicts.csv:1: write",
		"roles, editor, editor\n":          "conflicts.csv:1: write",
		"roles, editor,\n":                 "conflicts.csv:1: a field is empty",
		"\naccess, /a, GET, /b\n":          "conflicts.csv:2: write",
		"roles, editor, \"x\n":             "conflicts.csv:1: a quoted field",
		"roles, editor, edtor\n":           `conflicts.csv:1: the policy does not know the role "edtor"`,
		"duties, editor, admin\n":          "conflicts.csv:1: write",
		"roles, editor, admin\nroles, x\n": "conflicts.csv:2: write",
	} {
		if err := os.WriteFile(filepath.Join(dir, "conflicts.csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(t, dir, "", "report", "-p", "DIR/policy.csv", "--conflicts", "DIR/conflicts.csv"); got.Code != exitUsage || !strings.Contains(got.Stderr, want) {
			t.Errorf("%q: %+v, want %s", text, got, want)
		}
	}
}
