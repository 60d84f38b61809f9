package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	yaml "go.yaml.in/yaml/v4"
)

// actionFile is the part of an action.yml that is run here.
type actionFile struct {
	Inputs map[string]struct {
		Default string `yaml:"default"`
	} `yaml:"inputs"`
	Runs struct {
		Steps []actionStep `yaml:"steps"`
	} `yaml:"runs"`
}

type actionStep struct {
	ID    string            `yaml:"id"`
	If    string            `yaml:"if"`
	Shell string            `yaml:"shell"`
	Dir   string            `yaml:"working-directory"`
	Env   map[string]string `yaml:"env"`
	Run   string            `yaml:"run"`
}

func readAction(t *testing.T) *actionFile {
	t.Helper()
	text, err := os.ReadFile("../../../.github/actions/sallyport/action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a actionFile
	if err := yaml.Unmarshal(text, &a); err != nil || len(a.Runs.Steps) != 5 {
		t.Fatalf("%v: %+v", err, a)
	}
	return &a
}

var expression = regexp.MustCompile(`\$\{\{ *([^}]*?) *\}\}`)

// workflow runs the action as a runner does, with programs of the test in PATH.
type workflow struct {
	t         *testing.T
	action    *actionFile
	dir, temp string
	values    map[string]string // of expressions
	log       bytes.Buffer
}

func newWorkflow(t *testing.T, dir string, values map[string]string) *workflow {
	t.Helper()
	w := &workflow{t: t, action: readAction(t), dir: dir, temp: t.TempDir(), values: map[string]string{}}
	for name, input := range w.action.Inputs {
		w.values["inputs."+name] = input.Default
	}
	maps.Copy(w.values, values)
	return w
}

func (w *workflow) expand(s string) string {
	return expression.ReplaceAllStringFunc(s, func(e string) string { return w.values[expression.FindStringSubmatch(e)[1]] })
}

// run runs the steps until one fails, and returns its exit code.
func (w *workflow) run() int {
	w.t.Helper()
	file := func(name string) string { return filepath.Join(w.temp, name) }
	bash, err := exec.LookPath("bash")
	if err != nil {
		w.t.Skip("bash is not installed: the steps of the action are for it")
	}
	for i, step := range w.action.Runs.Steps {
		if step.If != "" && (w.values["inputs.comment"] != "true" || w.values["github.event.pull_request.number"] == "") {
			continue
		}
		output := file(fmt.Sprintf("output%d", i))
		cmd := exec.Command(bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run) // as a runner does for "shell: bash"
		cmd.Dir = filepath.Join(w.dir, w.expand(step.Dir))
		cmd.Env = append(os.Environ(), "PATH="+file("bin")+string(os.PathListSeparator)+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"),
			"GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+file("summary"), "GITHUB_REPOSITORY=o/r", "RUNNER_TEMP="+w.temp, "TEST_TEMP="+w.temp, "TEST_PROGRAM="+program)
		for name, value := range step.Env {
			cmd.Env = append(cmd.Env, name+"="+w.expand(value))
		}
		cmd.Stdout, cmd.Stderr = &w.log, &w.log
		err := cmd.Run()
		if text, readErr := os.ReadFile(output); readErr == nil {
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				w.values["steps."+step.ID+".outputs."+name] = value
			}
		}
		if err != nil {
			return cmd.ProcessState.ExitCode()
		}
	}
	return 0
}

// program puts a script into PATH.
func (w *workflow) program(name, script string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Join(w.temp, "bin"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.temp, "bin", name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workflow) read(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		w.t.Error(err)
	}
	return string(text)
}

// copied is a folder with what is in another one.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "checkout")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// TestActionScriptsHoldNoExpressions: what a change says is a value, and no script.
func TestActionScriptsHoldNoExpressions(t *testing.T) {
	for _, step := range readAction(t).Runs.Steps {
		if strings.Contains(step.Run, "${{") || step.Shell != "bash" || step.Run == "" {
			t.Errorf("step %s: %+v", step.ID, step)
		}
	}
}

const (
	actionPolicy = "p, editor, /a, GET\ng, erin, editor\n"
	ghScript     = `printf '%s\n' "$*" >>"$TEST_TEMP/gh"
case "$*" in *--paginate*) cat "$TEST_TEMP/comments" ;; esac
`
)

// actionRepository is a bare repository with two commits of a policy, and a
// checkout of the second with no other, as actions/checkout makes one.
func actionRepository(t *testing.T, second string) (checkout, base string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed: the action compares revisions")
	}
	origin := t.TempDir()
	checkout = filepath.Join(t.TempDir(), "checkout")
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git(origin, "init", "-q", "-b", "main")
	git(origin, "config", "uploadpack.allowAnySHA1InWant", "true") // as on GitHub
	for _, policy := range []string{actionPolicy, second} {
		if err := os.MkdirAll(filepath.Join(origin, "conf dir"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"policy.csv": policy, "policy.tests": "allow erin /a GET\n"} {
			if err := os.WriteFile(filepath.Join(origin, "conf dir", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		git(origin, "add", "-A")
		git(origin, "commit", "-q", "--allow-empty", "-m", "a policy")
	}
	git(filepath.Dir(checkout), "clone", "-q", "--depth=1", "file://"+origin, checkout)
	return checkout, git(origin, "rev-parse", "HEAD~1")
}

// TestActionComparesWithTheFirstParent: of a merge, as is checked out for a pull
// request, that is what the change is merged into; the event may be older.
func TestActionComparesWithTheFirstParent(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: TestAction runs the action once")
	}
	t.Parallel()
	checkout, old := actionRepository(t, actionPolicy+"p, editor, /merged-by-others, GET\n")
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", checkout, "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("checkout", "-q", "-b", "change")
	git("commit", "-q", "--allow-empty", "-m", "a change")
	git("checkout", "-q", "main")
	git("merge", "-q", "--no-ff", "-m", "merge", "change")
	for sha, want := range map[string]int{git("rev-parse", "HEAD"): 0, old: 1} {
		w := newWorkflow(t, checkout, map[string]string{
			"inputs.version": "installed", "inputs.working-directory": "conf dir", "inputs.model": "rbac", "inputs.policy": "policy.csv",
			"inputs.fail-on": "widen", "github.event.pull_request.base.sha": old, "github.sha": sha,
		})
		if got := w.run(); got != want {
			t.Errorf("got %d, want %d\n%s", got, want, w.log.String())
		}
	}
}

// TestAction runs the action in checkouts of one commit, as runners have them.
func TestAction(t *testing.T) {
	t.Parallel()
	checkout, base := actionRepository(t, actionPolicy)
	if err := os.WriteFile(filepath.Join(checkout, "conf dir", "policy.csv"), []byte(actionPolicy+"p, editor, /b, GET\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inputs := map[string]string{
		"inputs.version": "installed", "inputs.working-directory": "conf dir", "inputs.model": "rbac", "inputs.policy": "\npolicy.csv\n",
		"github.event.pull_request.base.sha": base, "github.event.pull_request.number": "7",
	}
	with := func(more ...string) map[string]string {
		all := maps.Clone(inputs)
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for name, c := range map[string]struct {
		values map[string]string
		code   int
		log    string
	}{
		"passes":               {with(), 0, "+ editor gains GET /b (new policy.csv:3); so does erin\n"},
		"fails":                {with("inputs.fail-on", "widen"), 1, "::error::sallyport ci found problems"},
		"more arguments":       {with("inputs.arguments", "--fail-on\nwiden\n"), 1, "1 change in effect"},
		"push":                 {with("github.event.pull_request.base.sha", "", "github.event.before", base, "inputs.fail-on", "widen"), 1, "1 change in effect"},
		"merge group":          {with("github.event.pull_request.base.sha", "", "github.event.merge_group.base_sha", base, "inputs.fail-on", "widen"), 1, "1 change in effect"},
		"new branch":           {with("github.event.pull_request.base.sha", "", "github.event.before", strings.Repeat("0", 40), "github.event.repository.default_branch", "main"), 0, "since "},
		"no base":              {with("github.event.pull_request.base.sha", ""), 2, "give the input base"},
		"base that is a flag":  {with("inputs.base", "--upload-pack=touch x"), 2, "the base is no revision"},
		"base that is not":     {with("inputs.base", "nonsense"), 2, "cannot be fetched"},
		"wrong argument":       {with("inputs.min", "many"), 2, "could not do its work"},
		"argument as a script": {with("inputs.policy", "$(touch owned)`touch owned`;touch owned"), 2, "there is no policy $(touch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "fails" {
				t.Skip("-short: one run of the action stands for all")
			}
			checkout := copied(t, checkout) // since an action fetches into it
			w := newWorkflow(t, checkout, c.values)
			if got := w.run(); got != c.code || !strings.Contains(w.log.String(), c.log) {
				t.Errorf("got %d, want %d and %q\n%s", got, c.code, c.log, w.log.String())
			}
			if report := w.values["steps.review.outputs.report"]; c.code < 2 && !strings.Contains(w.read(report), `"uri": "conf%20dir/policy.csv"`) {
				t.Errorf("paths do not begin at the top of the repository: %s", w.read(report))
			}
			if c.code < 2 {
				summary := w.read(filepath.Join(w.temp, "summary"))
				if !strings.HasPrefix(summary, "<!-- sallyport ci -->\n### ") || summary != w.read(w.values["steps.review.outputs.markdown"]) ||
					!strings.Contains(w.read(w.values["steps.review.outputs.report"]), `"version": "2.1.0"`) || w.values["steps.review.outputs.passed"] != fmt.Sprint(c.code == 0) {
					t.Errorf("summary %s\n%v", summary, w.values)
				}
			}
			if _, err := os.Stat(filepath.Join(checkout, "conf dir", "owned")); err == nil {
				t.Error("an input was run")
			}
		})
	}
}

// TestActionComments writes one comment, which the next run replaces.
func TestActionComments(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: TestAction runs the action once")
	}
	t.Parallel()
	checkout, base := actionRepository(t, actionPolicy)
	for name, c := range map[string]struct{ script, comments, want, log string }{
		"the first":          {ghScript, "", "--method POST repos/o/r/issues/7/comments --field body=@", "no change in effect"},
		"another":            {ghScript, "41\n42\n", "--method PATCH repos/o/r/issues/comments/41 --field body=@", "no change in effect"},
		"without permission": {ghScript + "exit 1\n", "", "--paginate repos/o/r/issues/7/comments", "::warning::the comment could not be written"},
	} {
		w := newWorkflow(t, checkout, map[string]string{
			"inputs.version": "v1.2.3", "inputs.working-directory": "conf dir", "inputs.model": "rbac", "inputs.policy": "policy.csv", "inputs.comment": "true",
			"github.event.pull_request.base.sha": base, "github.event.pull_request.number": "7",
		})
		w.program("gh", c.script)
		w.program("go", `[ "$*" = "install github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport@v1.2.3" ] && mkdir -p "$GOBIN" && cp "$TEST_PROGRAM" "$GOBIN"`)
		if err := os.WriteFile(filepath.Join(w.temp, "comments"), []byte(c.comments), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := w.run(); got != 0 || !strings.Contains(w.log.String(), c.log) || !strings.Contains(w.read(filepath.Join(w.temp, "gh")), c.want) {
			t.Errorf("%s: %d\n%s\n%s", name, got, w.read(filepath.Join(w.temp, "gh")), w.log.String())
		}
	}
}

// TestActionCommentsOnEachPolicy: a comment about one policy is not replaced by that
// about another.
func TestActionCommentsOnEachPolicy(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: TestAction runs the action once")
	}
	t.Parallel()
	checkout, base := actionRepository(t, actionPolicy)
	seen := map[string]bool{}
	for _, inputs := range [][2]string{{"conf dir", "policy.csv"}, {"conf dir", "./policy.csv"}, {".", "conf dir/policy.csv"}} {
		w := newWorkflow(t, checkout, map[string]string{
			"inputs.version": "installed", "inputs.working-directory": inputs[0], "inputs.model": "rbac", "inputs.policy": inputs[1], "inputs.comment": "true",
			"github.event.pull_request.base.sha": base, "github.event.pull_request.number": "7",
		})
		w.program("gh", ghScript+`for last; do :; done; case "$last" in body=@*) cp "${last#body=@}" "$TEST_TEMP/body" ;; esac`+"\n")
		if err := os.WriteFile(filepath.Join(w.temp, "comments"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := w.run(); got != 0 {
			t.Fatalf("%d\n%s", got, w.log.String())
		}
		mark, rest, _ := strings.Cut(w.read(filepath.Join(w.temp, "body")), "\n")
		first, report, _ := strings.Cut(w.read(w.values["steps.review.outputs.markdown"]), "\n")
		if seen[mark] || rest != report || len(mark) != len(first) || !strings.Contains(w.read(filepath.Join(w.temp, "gh")), `startswith("`+mark+`")`) {
			t.Errorf("%v: mark %q of %v", inputs, mark, seen)
		}
		seen[mark] = true
	}
}

// TestActionLogIsNoCommand: the lines of a policy reach the log between marks that
// have the runner take them for text.
func TestActionLogIsNoCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: TestAction runs the action once")
	}
	t.Parallel()
	checkout, base := actionRepository(t, "p, editor, /a, GET\n::error::owned\n##[error]owned\n")
	w := newWorkflow(t, checkout, map[string]string{
		"inputs.version": "installed", "inputs.working-directory": "conf dir", "inputs.model": "rbac", "inputs.policy": "policy.csv", "github.event.pull_request.base.sha": base,
	})
	if got := w.run(); got != 1 {
		t.Errorf("got %d\n%s", got, w.log.String())
	}
	mark := ""
	for line := range strings.Lines(w.log.String()) {
		if rest, ok := strings.CutPrefix(line, "::stop-commands::"); ok {
			mark = strings.TrimSpace(rest)
		} else if line == "::"+mark+"::\n" {
			mark = ""
		} else if mark == "" && strings.Contains(line, "owned") {
			t.Errorf("outside of marks: %q", line)
		}
	}
	if mark != "" || !strings.Contains(w.log.String(), "owned") {
		t.Errorf("mark %q in\n%s", mark, w.log.String())
	}
}
