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
	program = clitest.Program(Run)
	run     = program.Run
	good    = program.Good
	expect  = program.Expect
	wants   = program.Wants
	write   = clitest.Write
	edit    = clitest.Edit
	presets = starter.Presets
)

type brokenPipe = clitest.BrokenPipe

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
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "lone/policy.csv": policy, "wide/policy.csv": policy + "p, viewer, /*, *\n", "empty/x": "",
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
		{"more than the limit of 10: raise --limit", []string{"diff", "-m", "rbac", "DIR", "DIR/wide", "--limit", "10"}},
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

// TestFmtKeepsDecisions compares a policy's decisions before and after.
func TestFmtKeepsDecisions(t *testing.T) {
	text := strings.ReplaceAll(strings.ReplaceAll(policy, ", ", ","), "p,viewer", "p,   \"viewer\"")
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": text})
	var requests strings.Builder
	for _, who := range []string{"erin", "victor", "alice", "sam", "viewer"} {
		for _, object := range []string{"/", "/reports", "/reports/7", "/x"} {
			for _, action := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"} {
				requests.WriteString(who + "," + object + "," + action + "\n")
			}
		}
	}
	before := run(t, dir, requests.String(), "check", "-p", "DIR")
	expect(t, dir, "", exitOK, "", "", "fmt", "-w", "DIR")
	expect(t, dir, "", exitOK, "", "", "fmt", "--check", "DIR")
	expect(t, dir, requests.String(), exitOK, before.Stdout, "", "check", "-p", "DIR")
	if !strings.Contains(before.Stdout, "allow") || !strings.Contains(before.Stdout, "deny") {
		t.Error("the requests prove nothing")
	}
}

func TestLintLeavesOutRoutesWithoutAGate(t *testing.T) {
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": "p, ann, /reports, GET\n",
		"routes.json": `[{"method": "GET", "pattern": "/reports"}, {"method": "POST", "pattern": "/login"}, {"method": "GET", "pattern": "/assets/*path"}]`})
	for _, args := range [][]string{{"lint"}, {"ci", "--without-diff"}} {
		args = append(args, "-p", "DIR/policy.csv", "--routes", "DIR/routes.json", "--public", "/assets/*")
		if got := run(t, dir, "", args...); got.Code != exitFindings || !strings.Contains(got.Stdout, "the route POST /login") || strings.Contains(got.Stdout, "/assets") {
			t.Errorf("%q: %+v", args, got)
		}
		if got := run(t, dir, "", append(args, "--public", "POST /login")...); got.Code != exitOK {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestVersionIsShown(t *testing.T) {
	got := run(t, t.TempDir(), "", "--version")
	if got.Code != exitOK || !strings.HasPrefix(got.Stdout, "sallyport version ") || got.Stderr != "" {
		t.Errorf("%+v", got)
	}
}

// A role named only in the matcher is known to tests, tables and comparisons.
func TestRoleOfTheMatcher(t *testing.T) {
	const plain = "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub, obj, act\n[role_definition]\ng = _, _\n" +
		"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act\n"
	super := strings.Replace(plain, "m = ", `m = g(r.sub, "admin") || `, 1)
	const lines = "p, editor, /a, GET\n"
	dir := write(t, map[string]string{"old/model.conf": plain, "old/policy.csv": lines, "new/model.conf": super, "new/policy.csv": lines,
		"new/policy.tests": "allow ann[admin] /a PUT\ndeny admin[] /a PUT\n"})
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"diff", "--fail-on", "widen", "DIR/old", "DIR/new"}, exitFindings, "+ admin gains * /a"},
		{[]string{"test", "DIR/new/policy.tests"}, exitOK, "2 passed, 0 failed"},
		{[]string{"matrix", "-p", "DIR/new"}, exitOK, "(no role)  editor  admin"},
	} {
		if got := run(t, dir, "", c.args...); got.Code != c.code || !strings.Contains(got.Stdout, c.want) {
			t.Errorf("%q: got %+v", c.args, got)
		}
	}
}
