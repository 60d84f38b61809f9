package inspect

import (
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

const policy = clitest.Policy

var (
	program = clitest.Of(Commands)
	run     = program.Run
	expect  = program.Expect
	write   = clitest.Write
	presets = starter.Presets
)

type outcome = clitest.Outcome

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
	exitUsage    = command.ExitUsage
)

func TestCheck(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "tenants.csv": "p, a, t1, /x, GET\n"})
	expect(t, dir, "erin, /reports/7, PATCH\nvictor,/reports/7,PATCH\n \"erin\" , /reports, GET\nerin, \"/reports\", GET", exitFindings,
		"allow\ndeny\nerror: text follows the closing quote of a field: put a comma right behind it\nallow\n", "", "check", "-p", "DIR/policy.csv")
	expect(t, dir, "a, t1, /x, GET\na, t2, /x, GET\r\n", exitOK, "allow\ndeny\n", "", "check", "-m", "rbac-tenants", "-p", "DIR/tenants.csv")
	expect(t, dir, "", exitOK, "", "", "check", "-p", "DIR/policy.csv")
	for line, want := range map[string]string{
		"":                          "error: the line is empty: a request is sub, obj, act",
		"erin, /x":                  "error: a request has 3 fields by the model (sub, obj, act), and this one has 2",
		"erin":                      "error: a request has 3 fields by the model (sub, obj, act), and this one has 1",
		"erin /x GET":               "error: a request has 3 fields by the model (sub, obj, act), and this one has 1: fields are separated by commas",
		"erin\t/x\tGET":             "error: a request has 3 fields by the model (sub, obj, act), and this one has 1: fields are separated by commas",
		"erin, /x GET":              "error: a request has 3 fields by the model (sub, obj, act), and this one has 2: fields are separated by commas",
		"e, r, i, n":                "error: a request has 3 fields by the model (sub, obj, act), and this one has 4",
		`erin, "/x, GET`:            "error: a quoted field is not closed: end it with a quote on the same line",
		`er"in, /x, GET`:            "error: an unquoted field contains a quote: quote the field and double the quote inside",
		", /x, GET":                 "error: the subject is empty: that of a request without credentials is anonymous",
		"\ufefferin, /x, GET":       "error: the line begins with a byte order mark: send UTF-8 without one",
		"\xff, /x, GET":             "error: the line is not valid UTF-8",
		strings.Repeat("x", 1<<17):  "error: the line is longer than 65536 bytes",
		"editor, /reports/7, PATCH": "deny", // a user named like a role
		"anonymous, /reports, GET":  "deny",
		`"a,""b", /reports, GET`:    "deny",
	} {
		code := exitOK
		if strings.HasPrefix(want, "error") {
			code = exitFindings
		}
		expect(t, dir, line+"\nerin, /reports, GET\n", code, want+"\nallow\n", "", "check", "-p", "DIR/policy.csv")
	}
	// Casbin does not distinguish users and roles.
	expect(t, dir, "editor, /reports/7, PATCH\n, /reports, GET\n", exitOK, "allow\ndeny\n", "", "check", "-p", "DIR/policy.csv", "--as-casbin")
}

func TestExplain(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy})
	expect(t, dir, "", exitOK, "allow: victor (editor) may PUT /reports/7: policy.csv:4 allows it\n"+
		"  rule: policy.csv:4: p, editor, /reports/:id, PUT\n  roles: victor → editor (from the credentials)\n", "",
		"explain", "-p", "DIR", "victor:editor", "/reports/7", "PUT")
	for _, c := range []struct {
		want string
		args []string
	}{
		{`"allowed": true`, []string{"urn:x:viewer", "/reports", "GET"}},
		{`"subject": "urn:x"`, []string{"urn:x:", "/reports", "GET"}},
		{`"subject": "urn:x:y"`, []string{`"urn:x:y"`, "/reports", "GET"}},
		{`"allowed": true`, []string{`"urn:x:y":viewer`, "/reports", "GET"}},
		{`"allowed": true`, []string{"urn:x", "/reports", "GET", "--role", "viewer"}},
		{`"reason": "no_credentials"`, []string{"anonymous", "/reports", "GET"}},
		{`"reason": "subject_is_role_name"`, []string{"admin", "/reports", "GET"}},
	} {
		got := run(t, dir, "", append([]string{"explain", "-p", "DIR", "--format", "json"}, c.args...)...)
		if got.Code != exitOK || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%q: got %+v", c.args, got)
		}
	}
}

func TestTest(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy,
		"good.tests": "allow erin /reports/7 PATCH # why\ndeny sam[] /reports GET\nallow sam[viewer] /reports GET\n",
		"bad.tests":  "\ndeny erin /reports/7 PATCH # a reason\nallow erin /reports GET\n"})
	expect(t, dir, "", exitOK, "3 passed, 0 failed\n", "", "test", "DIR/good.tests")
	expect(t, dir, "", exitFindings, `bad.tests:2: FAIL: deny erin /reports/7 PATCH # a reason
  erin may PATCH /reports/7: policy.csv:5 allows it
    rule: policy.csv:5: p, editor, /reports/:id, PATCH
    roles: erin → editor (policy.csv:8)
4 passed, 1 failed
`, "", "test", "DIR/good.tests", "DIR/bad.tests")
	got := run(t, dir, "", "test", "--format", "json", "DIR/bad.tests")
	for _, want := range []string{`"passed": 1,`, `"failed": 1,`, `"line": 2,`, `"expected": "deny"`, `"got": "allow"`, `"why": "a reason"`, `"explanation": {`} {
		if got.Code != exitFindings || !strings.Contains(got.Stdout, want) {
			t.Errorf("no %s in %+v", want, got)
		}
	}
}
