package cli

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/core/authtest"
)

// TestWatch edits tests, policy and model while watch runs, and ends with the exit code
// of the last run.
func TestWatch(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "policy.csv": policy, "policy.tests": "allow erin /reports/7 PATCH\n"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- command.Run(ctx, newRoot(), []string{"test", "--watch", filepath.Join(dir, "policy.tests")}, nil, writer, writer)
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
	defer limit.Stop()
	await := func(want string) {
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
	change := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
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
	cancel()
	for range lines {
		continue // the rest of the output
	}
	if code := <-ended; code != exitFindings {
		t.Errorf("exit code %d", code)
	}
}

func TestWatchRefusesMissingFiles(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"model.conf": "rbac", "a.tests": "allow erin /x GET\n"})
	expect(t, dir, "", exitUsage, "", "there is no policy policy.csv", "test", "--watch", "DIR/a.tests")
}
