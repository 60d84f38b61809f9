package main

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestInitServes goes through the first three commands, with the modules of this
// clone. What they do for the other frameworks, and with released modules, is
// tried by "make consumer".
func TestInitServes(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: it builds a service, and -short is given")
	}
	t.Parallel()
	dir := t.TempDir()
	clone, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{program, "init", "--framework", "nethttp", "--checkout", clone}, {"go", "build", "-o", "service", "."}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "has failed") {
			t.Fatalf("%q: %v: %s", args, err, out)
		}
	}
	config, err := os.OpenFile(filepath.Join(dir, "sallyport.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = config.WriteString("decision_log:\n  path: decisions.jsonl\n")
		err = errors.Join(err, config.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	service := exec.Command(filepath.Join(dir, "service"), "-addr", "127.0.0.1:0")
	service.Dir = dir
	out, err := service.StdoutPipe()
	if err == nil {
		err = service.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("%q, %v", line, err)
	}
	for _, c := range []struct {
		user, method, path string
		status             int
	}{
		{"", "GET", "/reports", 401}, {"erin", "GET", "/reports", 200}, {"sam", "GET", "/reports", 403},
		{"sam", "DELETE", "/reports/7", 403}, {"alice", "DELETE", "/reports/7", 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, address+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.user != "" {
			r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(run(t, dir, "", "token", c.user).stdout))
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if challenge := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != c.status || (challenge != "") != (c.status == 401) {
			t.Errorf("%s %s by %q: %d %q", c.method, c.path, c.user, resp.StatusCode, challenge)
		}
	}
	if runtime.GOOS == "windows" {
		return // which has no such signal
	}
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := service.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	decisions, err := os.ReadFile(filepath.Join(dir, "decisions.jsonl"))
	if err != nil || bytes.Count(decisions, []byte(`"kind":"close"`)) != 1 {
		t.Errorf("the log was not closed: %v\n%s", err, decisions)
	}
}
