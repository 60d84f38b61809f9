package inspect

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// watching runs "test --watch" with args in dir. The first function waits for a line of
// the output, the second writes a file, the third interrupts and returns the exit code.
func watching(t *testing.T, dir string, args ...string) (await func(string), change func(name, text string), end func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- command.Run(ctx, command.Group(&cobra.Command{Use: "sallyport"}, newTest()), append([]string{"test", "--watch"}, args...), nil, writer, writer)
		_ = writer.Close()
	}()
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(reader); s.Scan(); {
			lines <- s.Text()
		}
	}()
	limit := time.NewTimer(authtest.TimeLimit(30 * time.Second))
	t.Cleanup(func() { limit.Stop() })
	await = func(want string) {
		t.Helper()
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatalf("the output ended before %q", want)
				}
				if strings.Contains(line, want) {
					return
				}
			case <-limit.C:
				t.Fatalf("no %q", want)
			}
		}
	}
	change = func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	end = func() int {
		cancel()
		for range lines {
			continue // the rest of the output
		}
		return <-ended
	}
	return await, change, end
}

// TestWatch edits tests, policy and model while watch runs, and ends with the exit code
// of the last run.
func TestWatch(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": "allow erin /reports/7 PATCH\n"})
	await, change, end := watching(t, dir, filepath.Join(dir, "policy.tests"))
	await("run 1 at ")
	await("1 passed, 0 failed")
	change("policy.tests", "table erin victor\n/reports/7 PATCH allow allow\n")
	await("policy.tests:2: FAIL: allow victor /reports/7 PATCH")
	await("1 passed, 1 failed")
	change("policy.csv", strings.Replace(policy, "p, editor, /reports/:id, PATCH", "p, viewer, /reports/:id, PATCH", 1))
	await("2 passed, 0 failed")
	change("policy.csv", "p, x\n")
	await("policy.csv:1:")
	change("model.conf", "[nonsense]\n")
	await("model.conf:1:")
	if code := end(); code != exitFindings {
		t.Errorf("exit code %d", code)
	}
}

// TestWatchConfiguration edits the configuration file that names the policy: another
// policy and another model are watched from then on, and a mistake is waited out.
func TestWatchConfiguration(t *testing.T) {
	t.Parallel()
	const config = "realm: reports\nbasic: {htpasswd: users}\npolicy: {model: model.conf, files: %s}\n"
	named := func(file string) string { return strings.Replace(config, "%s", file, 1) }
	dir := write(t, map[string]string{
		"model.conf": "rbac", "policy.csv": policy, "none.csv": "p, nobody, /, GET\n", "policy.tests": "allow erin /reports/7 PATCH\n",
		"sallyport.yaml": named("policy.csv"),
	})
	await, change, end := watching(t, dir, filepath.Join(dir, "policy.tests"))
	await("1 passed, 0 failed")
	change("sallyport.yaml", named("none.csv"))
	await("0 passed, 1 failed")
	change("none.csv", policy)
	await("1 passed, 0 failed")
	change("sallyport.yaml", named("missing.csv"))
	await("there is no policy ")
	change("sallyport.yaml", "realm: [\n")
	await("sallyport.yaml:")
	change("sallyport.yaml", named("policy.csv"))
	await("1 passed, 0 failed")
	if code := end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestWatchRefusesMissingFiles(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "a.tests": "allow erin /x GET\n"})
	expect(t, dir, "", exitUsage, "", "there is no policy policy.csv", "test", "--watch", "DIR/a.tests")
}
