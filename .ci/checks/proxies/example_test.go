package proxies_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForwardAuthExample runs examples/forwardauth behind each proxy, as its
// comment and docs/proxies.md say.
func TestForwardAuthExample(t *testing.T) {
	program := filepath.Join(t.TempDir(), "guard.exe") // the name that Windows needs
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/sallyport-go/sallyport/examples/forwardauth")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) {
			u := newUpstream(t)
			addr := by.start(t, documented(t, by.language, "forwardauth",
				"127.0.0.1:8080", startGuard(t, program, by.language), "127.0.0.1:9000", u.addr))
			const victor, alice = "Authorization: Basic dmljdG9yOnZpY3Rvci1wYXNz", "Authorization: Basic YWxpY2U6YWxpY2UtcGFzcw=="
			for _, c := range []struct {
				method, line string
				status       int
			}{
				{"GET", "X-Auth-User: alice", 401},
				{"GET", victor, 200},
				{"DELETE", victor, 403},
				{"DELETE", alice, 200},
			} {
				if got := ask(t, addr, c.method, "/reports/7", c.line); got.Status != c.status {
					t.Errorf("%s with %.20s…: status %d, want %d", c.method, c.line, got.Status, c.status)
				}
			}
			var users []string
			for _, r := range u.take() {
				users = append(users, r.Header.Get("X-Auth-User"))
			}
			if got := strings.Join(users, " "); got != "victor alice" {
				t.Errorf("the application was told of %q, want victor and alice", got)
			}
		})
	}
}

// startGuard runs the program for a proxy and returns where it listens.
func startGuard(t *testing.T, program, name string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0", "-proxy", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed by the end of the test's context
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on http://")
}
