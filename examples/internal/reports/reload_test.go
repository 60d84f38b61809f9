//go:build unix

package reports_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/examples/internal/reports"
	"github.com/sallyport-go/sallyport/examples/policy"
)

// TestPolicyEditsTakeEffect edits the policy of a running server: by the watched
// file and by SIGHUP, good and broken.
func TestPolicyEditsTakeEffect(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{policy.Model, policy.Rules} {
		text, err := policy.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good, err := os.ReadFile(filepath.Join(dir, policy.Rules))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	logged, log := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- reports.Run(ctx, []string{"-addr", "127.0.0.1:0", "-policy", dir}, stdout, log, server)
		_, _ = stdout.Close(), log.Close()
	}()
	guard := time.AfterFunc(20*time.Second, stop)
	defer guard.Stop()
	lines := make(chan string, 1000)
	go func() {
		for events := bufio.NewScanner(logged); events.Scan(); {
			lines <- events.Text()
		}
		close(lines)
	}()
	url := ""
	for printed := bufio.NewScanner(out); url == "" && printed.Scan(); {
		url, _ = strings.CutPrefix(printed.Text(), "listening on ")
		if !strings.HasPrefix(url, "http") {
			url = ""
		}
	}
	await := func(text string) {
		t.Helper()
		for line := range lines {
			if strings.Contains(line, text) {
				return
			}
		}
		t.Fatalf("the log never said %q", text)
	}
	ask := func(status int) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/reports", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("victor", "victor-pass")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != status {
			t.Errorf("victor gets %d, want %d", resp.StatusCode, status)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, policy.Rules), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	ask(http.StatusOK)
	write(strings.Replace(string(good), "g, victor, viewer", "", 1))
	await("policy loaded")
	ask(http.StatusForbidden)
	write(string(good) + "p, victor, /x\n")
	await("policy rejected")
	ask(http.StatusForbidden)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await("policy rejected")
	write(string(good))
	await("policy loaded")
	ask(http.StatusOK)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
