package review

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/policyfile"
)

func TestMatrixFormats(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy,
		"routes.json": `[{"method": "GET", "pattern": "/reports/{id}"}, {"method": "PATCH", "pattern": "/reports/:id"}]`})
	args := func(format string) []string {
		return []string{"matrix", "-p", "DIR", "--routes", "DIR/routes.json", "--format", format}
	}
	expect(t, dir, "", exitOK, `METHOD  ROUTE          (no role)  viewer  editor  admin
GET     /reports/{id}  deny       allow   allow   allow
PATCH   /reports/:id   deny       deny    allow   allow

A route stands for one request, with "sample" for each parameter.
`, "", args("text")...)
	expect(t, dir, "", exitOK, `method,route,sample,(no role),viewer,editor,admin
GET,/reports/{id},/reports/sample,deny,allow,allow,allow
PATCH,/reports/:id,/reports/sample,deny,deny,allow,allow
`, "", args("csv")...)
	expect(t, dir, "", exitOK, `| method | route | (no role) | viewer | editor | admin |
|---|---|---|---|---|---|
| GET | /reports/{id} | deny | allow | allow | allow |
| PATCH | /reports/:id | deny | deny | allow | allow |

A route stands for one request, with `+"`sample`"+` for each parameter.
`, "", args("markdown")...)
	got := run(t, dir, "", args("json")...)
	for _, want := range []string{`"parameter_sample": "sample"`, `"subject": "(no role)"`, `"reason": "no_rule_matched"`, `"text": "p, editor, /reports/:id, PATCH"`} {
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("json has no %s:\n%s", want, got.Stdout)
		}
	}
	got = run(t, dir, "", args("html")...)
	for _, want := range []string{"<title>Who may do what</title>", `<a href="#f1-5" title="policy.csv:5: p, editor, /reports/:id, PATCH">`, `<li id="f1-5" value="5"><code>p, editor, /reports/:id, PATCH</code>`} {
		if got.Code != exitOK || !strings.Contains(got.Stdout, want) {
			t.Errorf("html has no %s", want)
		}
	}
}

func TestMatrixOfSubjects(t *testing.T) {
	const acl = "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = r.sub == p.sub && keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)\n"
	dir := write(t, map[string]string{"model.conf": acl, "policy.csv": "p, ann, /x/*, ^(GET|publish)$\n",
		"roles.csv": "p, role:editor, /x, GET\np, bob, /x, PUT\ng, erin, role:editor\n",
		"t.csv":     "p, editor, t1, /x, GET\np, editor, t2, /x, PUT\n",
		"of.conf":   strings.Replace(casbinrules.RBACWithTenants().Text(), "r.sub, p.sub, r.dom) && r.dom == p.dom", "r.sub, p.sub, p.dom)", 1)})
	expect(t, dir, "", exitOK, "method,route,sample,(no role),ann\nGET,/x/*,/x/sample,deny,allow\npublish,/x/*,/x/sample,deny,allow\n", "",
		"matrix", "-p", "DIR/policy.csv", "--format", "csv")
	expect(t, dir, "", exitOK, "method,route,sample,(no role),anonymous,editor,bob,erin\nGET,/x,/x,deny,deny,allow,deny,allow\nPUT,/x,/x,deny,deny,deny,allow,deny\n", "",
		"matrix", "-m", "rbac", "-p", "DIR/roles.csv", "--role-prefix", "role:", "--users", "--allow-anonymous", "--format", "csv")
	expect(t, dir, "", exitOK, "method,route,sample,(no role) in t2,editor in t2\nGET,/x,/x,deny,deny\nPUT,/x,/x,deny,allow\n", "",
		"matrix", "-m", "rbac-tenants", "-p", "DIR/t.csv", "--tenant", "t2", "--format", "csv")
	formulas := write(t, map[string]string{"policy.csv": "p, =cmd, -a, +x\np, @b, /x, GET\n"})
	expect(t, formulas, "", exitOK, "method,route,sample,(no role),'=cmd,'@b\n'+x,'-a,'-a,deny,allow,deny\nGET,/x,/x,deny,deny,allow\n", "",
		"matrix", "-m", "rbac", "-p", "DIR/policy.csv", "--format", "csv")
	expect(t, dir, "", exitOK, "method,route,sample,(no role) in t1,editor in t1,(no role) in t2,editor in t2\nGET,/x,/x,deny,allow,deny,deny\nPUT,/x,/x,deny,deny,deny,allow\n", "",
		"matrix", "-m", "DIR/of.conf", "-p", "DIR/t.csv", "--format", "csv")
}

func TestMatrixReportsWhatItCannotShow(t *testing.T) {
	const re = "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = r.sub == p.sub && regexMatch(r.obj, p.obj) && r.act == p.act\n"
	dir := write(t, map[string]string{"model.conf": re, "policy.csv": "p, ann, ^/x$, GET\np, ann, ^/$^/, GET\n"})
	const note = "no request could be generated for ^/$^/ (policy.csv:2), so it has no row"
	for _, format := range []string{"text", "markdown", "json", "html"} {
		got := run(t, dir, "", "matrix", "-p", "DIR/policy.csv", "--format", format)
		if got.Code != exitOK || !strings.Contains(strings.ReplaceAll(got.Stdout, `\*`, "*"), note) {
			t.Errorf("%s: got %+v", format, got)
		}
	}
}

func TestMatrixDistinguishesFilesOfOneName(t *testing.T) {
	dir := write(t, map[string]string{"a/policy.csv": "p, ann, /x, GET\n", "b/policy.csv": "p, ann, /y, GET\n"})
	got := run(t, dir, "", "matrix", "-m", "rbac", "-p", "DIR/a", "-p", "DIR/b", "--format", "html")
	for _, want := range []string{`<th scope="row" title="asked about /x"><span class="method">GET</span> /x</th>`, `<a href="#f1-1"`, `<a href="#f2-1"`, "<small>a/policy.csv:1</small>", "<small>b/policy.csv:1</small>"} {
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("no %s in the page, exit code %d, %s", want, got.Code, got.Stderr)
		}
	}
}

func TestMatrixByRouteAsksForTheRoute(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, ann, \"/x/{id}\", GET\n", "routes.json": `[{"method": "GET", "pattern": "/x/{id}"}]`})
	args := []string{"matrix", "-m", "rbac", "-p", "DIR/policy.csv", "--routes", "DIR/routes.json", "--format", "csv"}
	expect(t, dir, "", exitOK, "method,route,sample,(no role),ann\nGET,/x/{id},/x/sample,deny,deny\n", "", args...)
	expect(t, dir, "", exitOK, "method,route,sample,(no role),ann\nGET,/x/{id},/x/{id},deny,allow\n", "", append(args, "--object-route")...)
}

// The order is that of the policy's lines, or of the file of routes, or by name on
// request, in every format.
func TestMatrixIsInOrder(t *testing.T) {
	dir := write(t, map[string]string{
		"policy.csv":  "p, writer, /b, PUT\np, editor, /a, POST\np, auditor, /b, GET\ng, zoe, auditor\ng, ann, editor\n",
		"t.csv":       "p, writer, t2, /b, GET\np, editor, t1, /a, GET\n",
		"routes.json": `[{"method": "GET", "pattern": "/z"}, {"method": "PUT", "pattern": "/b"}, {"method": "GET", "pattern": "/b"}]`,
	})
	matrix := func(want string, args ...string) {
		t.Helper()
		expect(t, dir, "", exitOK, want, "", append([]string{"matrix", "-m", "rbac", "-p", "DIR/policy.csv", "--format", "csv"}, args...)...)
	}
	const inPolicy = `method,route,sample,(no role),writer,editor,auditor
PUT,/b,/b,deny,allow,deny,deny
GET,/b,/b,deny,deny,deny,allow
POST,/a,/a,deny,deny,allow,deny
`
	const byName = `method,route,sample,(no role),auditor,editor,writer
POST,/a,/a,deny,deny,allow,deny
GET,/b,/b,deny,allow,deny,deny
PUT,/b,/b,deny,deny,deny,allow
`
	matrix(inPolicy)
	matrix(inPolicy, "--sort", "policy")
	matrix(byName, "--sort", "name")
	matrix(`method,route,sample,(no role),auditor,editor,writer,ann,zoe
POST,/a,/a,deny,deny,allow,deny,allow,deny
GET,/b,/b,deny,allow,deny,deny,deny,allow
PUT,/b,/b,deny,deny,deny,allow,deny,deny
`, "--sort", "name", "--users")
	matrix(`method,route,sample,(no role),writer,editor,auditor
GET,/z,/z,deny,deny,deny,deny
PUT,/b,/b,deny,allow,deny,deny
GET,/b,/b,deny,deny,deny,allow
`, "--routes", "DIR/routes.json")
	matrix(`method,route,sample,(no role),auditor,editor,writer
GET,/b,/b,deny,allow,deny,deny
PUT,/b,/b,deny,deny,deny,allow
GET,/z,/z,deny,deny,deny,deny
`, "--routes", "DIR/routes.json", "--sort", "name")

	tenants := []string{"matrix", "-m", "rbac-tenants", "-p", "DIR/t.csv", "--format", "csv"}
	expect(t, dir, "", exitOK, `method,route,sample,(no role) in t2,writer in t2,editor in t2,(no role) in t1,writer in t1,editor in t1
GET,/b,/b,deny,allow,deny,deny,deny,deny
GET,/a,/a,deny,deny,deny,deny,deny,allow
`, "", tenants...)
	expect(t, dir, "", exitOK, `method,route,sample,(no role) in t1,editor in t1,writer in t1,(no role) in t2,editor in t2,writer in t2
GET,/a,/a,deny,allow,deny,deny,deny,deny
GET,/b,/b,deny,deny,deny,deny,deny,allow
`, "", append(tenants, "--sort", "name")...)

	for _, format := range []string{"text", "markdown", "json", "html"} {
		got := run(t, dir, "", "matrix", "-m", "rbac", "-p", "DIR/policy.csv", "--sort", "name", "--format", format)
		_, table, _ := strings.Cut(got.Stdout, "<table") // the page lists the policy, too
		if format != "html" {
			table = got.Stdout
		}
		place := func(word string) int { return strings.Index(table, word) }
		if got.Code != exitOK || place("auditor") < 0 || place("auditor") > place("editor") || place("editor") > place("writer") ||
			place("/a") < 0 || place("/a") > place("/b") {
			t.Errorf("%s is not by name: %s", format, got.Stdout)
		}
	}
	if got := run(t, dir, "", "matrix", "-m", "rbac", "-p", "DIR/policy.csv", "--sort", "size"); got.Code != exitUsage || !strings.Contains(got.Stderr, "policy") {
		t.Errorf("an invalid order: %+v", got)
	}
}

// TestPagesOfOneState: a page shows the lines that have decided, not those saved
// meanwhile.
func TestPagesOfOneState(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	s := &policyfile.Source{Policies: []string{filepath.Join(dir, "policy.csv")}}
	a, err := s.Open("")
	if err != nil {
		t.Fatal(err)
	}
	if files, err := listings(s, a); err != nil || len(files) != 1 || string(files[0].Text) != policy {
		t.Errorf("%v, %v", files, err)
	}
	for name, text := range map[string]string{"policy.csv": "# A line more.\n" + policy, "model.conf": presets["rbac"]().Text() + "\n"} {
		before := readFile(t, filepath.Join(dir, name))
		edit(t, dir, name, text)
		if _, err := listings(s, a); err == nil || !strings.Contains(err.Error(), "changed meanwhile") {
			t.Errorf("%s: %v", name, err)
		}
		edit(t, dir, name, before)
	}
}
