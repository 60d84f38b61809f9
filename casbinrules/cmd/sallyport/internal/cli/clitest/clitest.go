// Package clitest has what the tests of several rooms of the command need.
package clitest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/jwtauth"
)

// Policy is a small policy for the preset rbac.
const Policy = `# Reports.
p, viewer, /reports, GET
p, viewer, /reports/:id, GET
p, editor, /reports/:id, PUT
p, editor, /reports/:id, PATCH
p, admin, /*, *
g, editor, viewer
g, erin, editor
g, victor, viewer
g, alice, admin
`

// RegionModel asks for an attribute besides subject, object and action.
const RegionModel = "[request_definition]\nr = sub, obj, act, region\n[policy_definition]\np = sub, obj, act, region\n[role_definition]\ng = _, _\n" +
	"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = g(r.sub, p.sub) && keyMatch2(r.obj, p.obj) && r.act == p.act && r.region == p.region\n"

// DecisionLines are log lines with decisions by Policy.
const DecisionLines = `{"v":1,"kind":"open","seq":1,"time":"2026-11-29T00:00:00Z","open":{"why":"start","sample_rate":1}}
{"v":1,"kind":"decision","seq":2,"time":"2026-11-29T00:00:00Z","outcome":"forbidden","status":403,"gate":"authorize","request":{"principal":"victor","method":"PATCH","action":"PATCH","route":"/reports/:id","resource":"/reports/7"},"duration_us":3}
{"v":1,"kind":"decision","seq":3,"time":"2026-11-29T00:00:00Z","outcome":"allowed","status":200,"gate":"authorize","request":{"principal":"erin","method":"PATCH","action":"PATCH","route":"/reports/:id","resource":"/reports/7"},"duration_us":3}
{"v":1,"kind":"decision","seq":4,"time":"2026-11-29T00:00:00Z","outcome":"allowed","status":200,"gate":"authorize","request":{"principal":"erin","method":"PATCH","action":"PATCH","route":"/reports/:id","resource":"/reports/7"},"duration_us":4}
`

// Write puts files into a new directory, "model.conf" by a preset's name.
func Write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if preset := starter.Presets[text]; name == "model.conf" && preset != nil {
			text = preset().Text()
		}
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// ReadFile returns the content of a file that has to be there.
func ReadFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Edit writes a file of a folder again.
func Edit(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Commit makes a git repository of a folder, with one commit on main, and returns the
// command git in it.
func Commit(t testing.TB, dir string) (git func(args ...string)) {
	t.Helper()
	program, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed: revisions cannot be read")
	}
	git = func(args ...string) {
		t.Helper()
		cmd := exec.Command(program, append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "first")
	return git
}

// VerifyToken verifies a token with the set in a file.
func VerifyToken(t testing.TB, jwks, token string) (*core.Principal, error) {
	t.Helper()
	set, err := jwtauth.OpenJWKS(jwks)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jwtauth.New(set, jwtauth.WithIssuer("http://localhost:8080"), jwtauth.WithAudience("reports"),
		jwtauth.WithAccessTokenProfile(), jwtauth.WithDevelopmentKeysAnywhere())
	if err != nil {
		t.Fatal(err)
	}
	return v.VerifyToken(t.Context(), strings.TrimSpace(token))
}

// BrokenPipe is an output that takes nothing.
type BrokenPipe struct{}

// Write implements io.Writer.
func (BrokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// Program runs a command line and returns its exit code.
type Program func(args []string, stdin io.Reader, stdout, stderr io.Writer) int

// Of returns a program with the commands of a room.
func Of(commands func() []*cobra.Command) Program {
	return func(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
		root := command.Group(&cobra.Command{Use: "sallyport"}, commands()...)
		return command.Run(context.Background(), root, args, stdin, stdout, stderr)
	}
}

// Outcome is the result of a command. Paths of the directory are removed.
type Outcome struct {
	Code           int
	Stdout, Stderr string
}

// Run runs a command, with DIR in its arguments replaced by dir.
func (p Program) Run(t testing.TB, dir, stdin string, args ...string) Outcome {
	t.Helper()
	args = append([]string(nil), args...)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "DIR", dir)
	}
	var stdout, stderr bytes.Buffer
	code := p(args, strings.NewReader(stdin), &stdout, &stderr)
	cut := func(b *bytes.Buffer) string { return strings.ReplaceAll(b.String(), dir+"/", "") }
	return Outcome{code, cut(&stdout), cut(&stderr)}
}

// Good runs a command that must succeed and returns its output.
func (p Program) Good(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	got := p.Run(t, dir, stdin, args...)
	if got.Code != command.ExitOK {
		t.Fatalf("%s: %+v", strings.Join(args, " "), got)
	}
	return got.Stdout
}

// Expect runs a command and compares its result; of stderr it requires a part.
func (p Program) Expect(t testing.TB, dir, stdin string, code int, stdout, stderr string, args ...string) {
	t.Helper()
	got := p.Run(t, dir, stdin, args...)
	if got.Code != code || got.Stdout != stdout || !strings.Contains(got.Stderr, stderr) || stderr == "" && got.Stderr != "" {
		t.Errorf("%s: got %d\n--- stdout\n%s--- stderr\n%s\nwant %d\n--- stdout\n%s--- stderr\n%s",
			strings.Join(args, " "), got.Code, got.Stdout, got.Stderr, code, stdout, stderr)
	}
}

// Wants runs a command and requires its code, and parts of its output in order.
func (p Program) Wants(t testing.TB, dir string, code int, parts string, args ...string) {
	t.Helper()
	got := p.Run(t, dir, "", args...)
	said := got.Stdout + got.Stderr
	for part := range strings.SplitSeq(parts, "|") {
		_, rest, found := strings.Cut(said, part)
		if !found {
			t.Errorf("%s: lacks %q", strings.Join(args, " "), part)
			break
		}
		said = rest
	}
	if t.Failed() || got.Code != code {
		t.Fatalf("%s: code %d, want %d\n--- stdout\n%s--- stderr\n%s", strings.Join(args, " "), got.Code, code, got.Stdout, got.Stderr)
	}
}
