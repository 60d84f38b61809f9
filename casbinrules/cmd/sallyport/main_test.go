package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli"
)

// program is the command: the binary of these tests by another name, so that
// nothing is built and linked a second time.
var program string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "sallyport" {
		main() // exits
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "sallyport")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "sallyport")
	if err := os.Symlink(self, program); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// outcome is what came of a run of the program.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs the program in dir.
func run(t *testing.T, dir, stdin string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func TestProgramSaysWhatThePackageSays(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := cli.Run([]string{"matrix", "--help"}, strings.NewReader(""), &stdout, &stderr)
	if got := run(t, t.TempDir(), "", "matrix", "--help"); got != (outcome{code, stdout.String(), stderr.String()}) || stdout.Len() == 0 {
		t.Errorf("got %+v", got)
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestExitCodesAndStreams(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args           []string
		stdin          string
		code           int
		stdout, stderr string // parts; "" for nothing at all
	}{
		{args: []string{"init"}, stdout: "model.conf\npolicy.csv\npolicy.tests\n"},
		{args: []string{"init"}, code: 2, stderr: "already exist"},
		{args: []string{"lint"}},
		{args: []string{"test", "policy.tests"}, stdout: " passed, 0 failed\n"},
		{args: []string{"test", "policy.tests", "-m", "rbac-tenants"}, code: 1, stderr: "field_count"},
		{args: []string{"explain", "erin", "/reports/7", "PATCH"}, stdout: "allow: erin may PATCH /reports/7"},
		{args: []string{"check"}, stdin: "erin, /reports/7, PATCH\n", stdout: "allow\n"},
		{args: []string{"check"}, stdin: "erin, /reports/7\n", code: 1, stdout: "error: "},
		{args: []string{"matrix"}, stdout: "METHOD"},
		{args: []string{"diff", "policy.csv", "policy.csv", "--fail-on", "change"}, stdout: "no change in effect"},
		{args: []string{"fmt", "--check", "policy.csv"}},
		{args: []string{"fmt"}, stdin: "p,a", stdout: "p, a\n"},
		{args: []string{"fmt", "--check"}, stdin: "p,a", code: 1, stdout: "stdin\n"},
		{args: []string{"completion", "bash"}, stdout: "bash completion"},
		{args: []string{"--help"}, stdout: "Exit codes: "},
		{args: []string{"lint", "--format", "xml"}, code: 2, stderr: "use one of text, json, sarif"},
		{args: nil, code: 2, stderr: "which command?"},
	} {
		got := run(t, dir, c.stdin, c.args...)
		if got.code != c.code || !strings.Contains(got.stdout, c.stdout) || c.stdout == "" && got.stdout != "" ||
			!strings.Contains(got.stderr, c.stderr) || c.stderr == "" && got.stderr != "" {
			t.Errorf("%q: got %+v\nwant %+v", c.args, got, c)
		}
	}
}
