package proxies_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	demo "github.com/sallyport-go/sallyport/examples/policy"
)

// TestForwardAuthExample runs examples/forwardauth behind each proxy, as its
// comment and docs/proxies.md say.
func TestForwardAuthExample(t *testing.T) {
	program := built(t, "examples/forwardauth")
	behindEach(t, func(t *testing.T, proxy string) string {
		return startGuard(t, program, "-addr", "127.0.0.1:0", "-proxy", proxy)
	})
}

// TestServe runs sallyport serve behind each proxy, with the files of the
// examples, and with a sign-in.
func TestServe(t *testing.T) {
	program := built(t, "casbinrules/cmd/sallyport")
	behindEach(t, func(t *testing.T, proxy string) string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, demo.Files); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "sallyport.yaml")
		text := fmt.Sprintf("realm: reports\nbasic: {htpasswd: %s}\npolicy: {model: %s, files: %s}\n"+
			"proxies: {trusted: 127.0.0.1/32}\nserve: {proxy: %s}\n", demo.Users, demo.Model, demo.Rules, proxy)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return startGuard(t, program, "serve", "-c", file, "--addr", "127.0.0.1:0")
	})
	signInBehindEach(t, program)
}

// built is the program in a folder of this repository.
func built(t *testing.T, path string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "guard.exe") // the name that Windows needs
	build := exec.CommandContext(t.Context(), "go", "build", "-C", filepath.Join("..", "..", "..", path), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// behindEach asks for the demo users' reports through each proxy, whose guard
// start starts and returns the address of.
func behindEach(t *testing.T, start func(t *testing.T, proxy string) (addr string)) {
	for _, by := range askers {
		t.Run(by.language, func(t *testing.T) {
			u := newUpstream(t)
			addr := by.start(t, documented(t, by.language, "forwardauth",
				"127.0.0.1:8080", start(t, by.language), "127.0.0.1:9000", u.addr))
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

// startGuard runs the program and returns where it listens.
func startGuard(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
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
