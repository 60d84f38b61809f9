package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/clitest"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
)

const policy = clitest.Policy

var (
	program  = clitest.Program(Run)
	run      = program.Run
	expect   = program.Expect
	wants    = program.Wants
	write    = clitest.Write
	readFile = clitest.ReadFile
	edit     = clitest.Edit
	presets  = starter.Presets
)

type (
	outcome    = clitest.Outcome
	brokenPipe = clitest.BrokenPipe
)

const (
	exitOK       = command.ExitOK
	exitFindings = command.ExitFindings
	exitUsage    = command.ExitUsage
)

// TestFilesWithASuffixInCapitals: no file of policies or tests is left out unsaid.
func TestFilesWithASuffixInCapitals(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "a.tests": "allow erin /reports GET\n",
		"B.TESTS": "deny erin /reports GET\n", "more/a.csv": policy, "more/DENY.CSV": policy})
	for _, c := range []struct {
		want string
		args []string
	}{
		{"B.TESTS: only names that end in .tests are read", []string{"test", "-p", "DIR/policy.csv"}},
		{"B.TESTS: only names that end in .tests are read", []string{"ci", "-p", "DIR/policy.csv"}},
		{"more/DENY.CSV: only names that end in .csv are read", []string{"fmt", "--check", "DIR/more"}},
		{"more/DENY.CSV: only names that end in .csv are read", []string{"check", "-m", "rbac", "-p", "DIR/more"}},
	} {
		if got := run(t, dir, "", c.args...); got.Code != 2 || !strings.Contains(got.Stderr, c.want) {
			t.Errorf("%s: got %d, %q", c.args[0], got.Code, got.Stderr)
		}
	}
}

func TestUsageErrorsSayWhatToDo(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "lone/policy.csv": policy, "empty/x": "",
		"routes.json": "{}", "none.json": "[]", "half.json": `[{"method": "GET"}]`, "none.tests": "# nothing\n", "broken.tests": "allow erin\nmaybe x\n"})
	for _, c := range []struct {
		stderr string
		args   []string
	}{
		{"which command? one of apikey, check, ci, config, diff, doctor, explain, fmt, history, init, keys, lint, log, lsp, matrix, objects, openapi, passwd, probe, pull, push, replay, report, revoke, rollback, serve, show, state, status, store, subjects, test, token\nrun \"sallyport --help\"", nil},
		{"there is no store of that kind: a URL begins with postgres://, rediss:// or redis://\nrun \"sallyport state init --help\"", []string{"state", "init", "--store", "file:x"}},
		{"unknown command \"frobnicate\" for \"sallyport\": use one of apikey, check, ", []string{"frobnicate"}},
		{"unknown flag: --nope\nrun \"sallyport lint --help\"", []string{"lint", "--nope"}},
		{"lint takes no arguments: name the policy with -p\nrun \"sallyport lint --help\"", []string{"lint", "extra"}},
		{"matrix takes no arguments: name the policy with -p\n", []string{"matrix", "policy.csv"}},
		{"check takes no arguments: name the policy with -p, and send", []string{"check", "x"}},
		{"config check takes no arguments: name the file with -c\n", []string{"config", "check", "sallyport.yaml"}},
		{"serve takes no arguments: name the configuration with -c\n", []string{"serve", "sallyport.yaml"}},
		{"apikey list takes no arguments: name the key file with -f\n", []string{"apikey", "list", "api.keys"}},
		{"apikey new takes no arguments: name the key file with -f, ", []string{"apikey", "new", "api.keys"}},
		{"unknown command \"make\" for \"sallyport apikey\": use one of list, new, revoke\n", []string{"apikey", "make"}},
		{"which command? one of list, new, revoke\n", []string{"apikey"}},
		{"unknown shell \"tcsh\" for \"sallyport completion\": use one of bash, fish, powershell, zsh\n", []string{"completion", "tcsh"}},
		{"which shell? one of bash, fish, powershell, zsh\n", []string{"completion"}},
		{"completion bash takes no arguments: ", []string{"completion", "bash", "x"}},
		{"there is no command \"nope\" to help with\n", []string{"help", "nope"}},
		{"there is no command \"apikey make\" to help with\n", []string{"help", "apikey", "make"}},
		{"there is no format \"yaml\": use one of text, json, sarif\n", []string{"lint", "-p", "DIR", "--format", "yaml"}},
		{"--fail-on warning or --fail-on error", []string{"lint", "-p", "DIR", "--fail-on", "hint"}},
		{"there is no policy policy.csv: say which with -p", []string{"lint"}},
		{"there is no policy none.csv: check the path given with -p", []string{"lint", "-p", "DIR/none.csv"}},
		{"there is no model none.conf: give -m a file, or one of rbac, ", []string{"lint", "-p", "DIR", "-m", "DIR/none.conf"}},
		{"there is no lone/model.conf beside the policy: say with -m", []string{"lint", "-p", "DIR/lone/policy.csv"}},
		{"holds no .csv file", []string{"lint", "-p", "DIR/empty", "-m", "rbac"}},
		{"read routes: open routes: no such file", []string{"lint", "-p", "DIR", "--routes", "DIR/routes"}},
		{`routes.json: json: cannot unmarshal`, []string{"lint", "-p", "DIR", "--routes", "DIR/routes.json"}},
		{"none.json: there is no route; it holds a list such as", []string{"matrix", "-p", "DIR", "--routes", "DIR/none.json"}},
		{"half.json: route 1 has no method or no pattern", []string{"lint", "-p", "DIR", "--routes", "DIR/half.json"}},
		{"explain wants a subject, an object and an action, and got 1 argument\nrun \"sallyport explain --help\"", []string{"explain", "erin"}},
		{"explain wants a subject, an object and an action, and got 4 arguments\n", []string{"explain", "erin", "in", "/x", "GET"}},
		{"diff wants the old and the new policy, and got 1 argument\n", []string{"diff", "DIR"}},
		{"init takes a directory, and got 2 arguments", []string{"init", "DIR/a", "DIR/b"}},
		{"there is no framework \"chi\": use one of gin, fiber, ", []string{"init", "DIR/new", "--framework", "chi"}},
		{"--checkout is for the go.mod of a service", []string{"init", "DIR/new", "--checkout", "DIR"}},
		{"--checkout ", []string{"init", "DIR/new", "--framework", "gin", "--checkout", "DIR"}},
		{"there is no *.tests beside the policy: name a file of tests\n", []string{"test"}},
		{"the subject is empty: name a user", []string{"explain", "-p", "DIR", ":editor", "/x", "GET"}},
		{"there is no test in none.tests", []string{"test", "DIR/none.tests"}},
		{"broken.tests:1:7: write \"allow USER[ROLE,ROLE] OBJECT ACTION\"", []string{"test", "DIR/broken.tests"}},
		{"broken.tests:2:1: a test begins with allow or deny", []string{"test", "DIR/broken.tests"}},
		{"read tests: open x.tests: no such file or directory (sallyport init writes some)", []string{"test", "DIR/x.tests"}},
		{"(sallyport apikey new makes one)", []string{"apikey", "list", "-f", "DIR/x.keys"}},
		{"--object-route needs --routes", []string{"matrix", "-p", "DIR", "--object-route"}},
		{"--fail-on knows widen and change, and not \"x\"", []string{"diff", "DIR", "DIR", "--fail-on", "x"}},
		{"old policy: there is no policy no.csv: check the first argument\n", []string{"diff", "DIR/no.csv", "DIR"}},
		{"new policy: there is no policy no.csv: check the second argument\n", []string{"diff", "DIR", "DIR/no.csv"}},
		{"more than the limit of 10: raise --limit", []string{"diff", "DIR", "DIR", "--limit", "10"}},
		{"-w writes and --check does not", []string{"fmt", "-w", "--check", "DIR"}},
		{"-w needs a file to write", []string{"fmt", "-w"}},
		{"no such file", []string{"fmt", "DIR/no.csv"}},
		{"none.tests holds tests: fmt aligns only policies\n", []string{"fmt", "--check", "DIR/none.tests"}},
		{"directory empty holds no .csv file", []string{"fmt", "DIR/empty"}},
		{"there is no preset \"acl\": use one of rbac, ", []string{"init", "DIR/new", "--preset", "acl"}},
		{"model.conf, policy.csv already exist: choose another directory, or overwrite them with --force", []string{"init", "DIR"}},
	} {
		expect(t, dir, "", exitUsage, "", c.stderr, c.args...)
	}
}

func TestHelpAndCompletion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help"}, {"help", "lint"}, {"help", "apikey", "new"}, {"apikey", "--help"}, {"completion", "--help"}, {"check", "--help"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"completion", "powershell"}} {
		if got := run(t, "DIR", "", args...); got.Code != exitOK || len(got.Stdout) < 300 || got.Stderr != "" {
			t.Errorf("%q: got %+v", args, got)
		}
	}
	expect(t, "DIR", "", exitOK, "text\njson\nsarif\n:4\n", "Completion ended", "__complete", "lint", "--format", "")
}

func TestRefusedPolicyIsAFindingForEveryCommand(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy + "p, erin, /x, GET # why\np, x\n", "a.tests": "allow erin /x GET\n"})
	for _, args := range [][]string{
		{"check", "-p", "DIR"}, {"explain", "-p", "DIR", "erin", "/x", "GET"}, {"test", "DIR/a.tests"},
		{"matrix", "-p", "DIR"}, {"diff", "DIR", "DIR"}, {"fmt", "DIR"},
	} {
		expect(t, dir, "erin, /x, GET\n", exitFindings, "", "policy.csv:11:18: error: inline_comment: ", args...)
	}
}

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

func TestInitWritesWhatLintTestAndFmtAccept(t *testing.T) {
	for preset := range presets {
		dir := t.TempDir()
		expect(t, dir, "", exitOK, "a/b/model.conf\na/b/policy.csv\na/b/policy.tests\n", "", "init", "DIR/a/b", "--preset", preset)
		expect(t, dir, "", exitOK, "", "", "lint", "-p", "DIR/a/b/policy.csv")
		expect(t, dir, "", exitOK, "", "", "fmt", "--check", "DIR/a/b")
		if got := run(t, dir, "", "test", "DIR/a/b/policy.tests"); got.Code != exitOK || strings.HasPrefix(got.Stdout, "0 ") {
			t.Errorf("%s: got %+v", preset, got)
		}
		policy := filepath.Join(dir, "a/b/policy.csv")
		if err := os.WriteFile(policy, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, dir, "", exitUsage, "", "already exist", "init", "DIR/a/b", "--preset", preset)
		if text, err := os.ReadFile(policy); err != nil || string(text) != "mine" {
			t.Errorf("%s was overwritten with %q, %v", policy, text, err)
		}
		if got := run(t, dir, "", "init", "DIR/a/b", "--preset", preset, "--force"); got.Code != exitOK {
			t.Errorf("--force: got %+v", got)
		}
		expect(t, dir, "", exitOK, "", "", "lint", "-p", "DIR/a/b")
	}
}

// What a command could not write is an error, with and without findings.
func TestOutputThatCannotBeWritten(t *testing.T) {
	dir := write(t, map[string]string{"policy.csv": "p, viewer, /reports/:id, GET\ng, victor, viewer\n", "odd.csv": "p, viewer, /reports, GET\np, viewer, /reports, GET\n"})
	policy, odd := filepath.Join(dir, "policy.csv"), filepath.Join(dir, "odd.csv")
	for _, args := range [][]string{
		{"--help"},
		{"config", "schema"},
		{"explain", "-m", "rbac", "-p", policy, "victor", "/reports/7", "GET"},
		{"objects", "-m", "rbac", "-p", policy, "victor", "GET", "--format", "json"},
		{"matrix", "-m", "rbac", "-p", policy, "--format", "csv"},
		{"lint", "-m", "rbac", "-p", odd},
	} {
		var stderr strings.Builder
		if code := Run(args, strings.NewReader(""), brokenPipe{}, &stderr); code != exitUsage || !strings.HasPrefix(stderr.String(), "sallyport: broken pipe\n") {
			t.Errorf("%s: exit code %d\n%s", args, code, stderr.String())
		}
	}
}

// No error shows a password that stands in a URL, nor a part of one.
func TestPasswordsInURLsAreNotShown(t *testing.T) {
	for _, url := range []string{"http://ann:s3cret@127.0.0.1:bad/", "http://ann:s3cret@127.0.0.1:1/?a=b", "http://ann:s3cret#word@h/", "http://ann:s3cret%zz@h/", "ann:s3cret@h", "file://ann:s3cret@h/x"} {
		for _, args := range [][]string{{"doctor", url}, {"probe", url}, {"status", "--store", url}, {"state", "init", "--store", url}} {
			if args[0] == "doctor" && !strings.HasPrefix(url, "http:") {
				continue // the name of a log
			}
			if got := run(t, t.TempDir(), "", args...); got.Code != exitUsage || strings.Contains(got.Stderr, "s3cret") {
				t.Errorf("%s: exit code %d\n%s", args, got.Code, got.Stderr)
			}
		}
	}
}
