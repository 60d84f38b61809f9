package service

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

const serveConfig = `realm: reports
basic: {htpasswd: users.htpasswd}
policy: {model: model.conf, files: policy.csv}
proxies: {trusted: 127.0.0.1/32}
serve: {proxy: nginx, address: "127.0.0.1:0"}
`

// configFolder is a folder with a configuration and the files that it names.
func configFolder(t *testing.T, text string) (file string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../../../../setup/testdata/files")); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "sallyport.yaml")
	writeFile(t, file, text)
	return file
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startServe runs serve until the test ends and returns its address.
func startServe(t *testing.T, file string) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	cmd := newServe()
	cmd.SetContext(ctx)
	cmd.SetArgs([]string{"-c", file})
	cmd.SetOut(in)
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.ExecuteContext(ctx)
		_ = in.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v", err, <-ended)
	}
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("printed %q", line)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	return url
}

// check returns what nginx would be answered.
func check(t *testing.T, url, user, target string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/check", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Original-Method", "GET")
	r.Header.Set("X-Original-URI", target)
	if user != "" {
		r.SetBasicAuth(user, user+"-pass")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

// TestServe answers a proxy, reloads on SIGHUP and ends with its context.
func TestServe(t *testing.T) {
	file := configFolder(t, serveConfig)
	url := startServe(t, file)
	for _, c := range []struct {
		user, target string
		want         int
	}{{"", "/reports", 401}, {"erin", "/reports", 200}, {"alice", "/reports", 403}} {
		if got := check(t, url, c.user, c.target); got != c.want {
			t.Errorf("%q %s: %d, want %d", c.user, c.target, got, c.want)
		}
	}
	resp, err := http.Get(url + "/healthz")
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Errorf("/healthz: %v, %v", resp, err)
	}
	hangup := func(want int) {
		t.Helper()
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(syscall.SIGHUP)
		}
		if err != nil {
			t.Skipf("not run: this system has no SIGHUP: %v", err)
		}
		deadline := time.Now().Add(authtest.TimeLimit(time.Minute))
		for check(t, url, "alice", "/reports") != want {
			if time.Now().After(deadline) {
				t.Fatalf("the reload did not make it %d", want)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	dir := filepath.Dir(file)
	writeFile(t, filepath.Join(dir, "more.csv"), "p, alice, /reports, GET, allow\n")
	writeFile(t, file, strings.Replace(serveConfig, "policy.csv", "more.csv", 1))
	hangup(200)
	writeFile(t, filepath.Join(dir, "more.csv"), "p, erin, /reports, GET, allow\n")
	hangup(403)
	g, err := openService(file)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	before := g.inUse.Load()
	writeFile(t, file, "realm: 7\n")
	if err := g.reload(t.Context()); err == nil || g.inUse.Load() != before {
		t.Errorf("a broken configuration: %v", err)
	}
}

// TestServeOpensFilesReadOnce: a reload puts an edit of a file into force that a setup reads
// only once.
func TestServeOpensFilesReadOnce(t *testing.T) {
	file := configFolder(t, serveConfig+"answers: {style: own.css}\n")
	style := filepath.Join(filepath.Dir(file), "own.css")
	writeFile(t, style, "body { color: red }\n")
	g, err := openService(file)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	for _, changed := range []bool{false, true, false} {
		before := g.inUse.Load()
		if changed {
			writeFile(t, style, "body { color: rebeccapurple }\n")
		}
		if err := g.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if (g.inUse.Load() != before) != changed {
			t.Errorf("changed %v, but not what is in use", changed)
		}
	}
}

// TestServeGoesOnWithItsDecisionLog: a changed configuration takes effect although the
// log allows only one writer.
func TestServeGoesOnWithItsDecisionLog(t *testing.T) {
	const section = "decision_log: {path: decisions.jsonl}\n"
	file := configFolder(t, serveConfig+section)
	g, err := openService(file)
	if err != nil {
		t.Fatal(err)
	}
	before := g.inUse.Load()
	writeFile(t, file, strings.Replace(serveConfig, "realm: reports", "realm: others", 1)+section)
	if err := g.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if g.inUse.Load() == before {
		t.Error("the configuration has not changed")
	}
	g.close() // while requests could still be using the one before
	log, err := os.ReadFile(filepath.Join(filepath.Dir(file), "decisions.jsonl"))
	if err != nil || !strings.Contains(string(log), `"kind":"close"`) {
		t.Errorf("the log is not written to its end: %s %v", log, err)
	}
}

// TestConfig checks, shows and describes configurations.
func TestConfig(t *testing.T) {
	file := configFolder(t, serveConfig)
	bad := configFolder(t, "realm: reports\nbassic: {}\n")
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	unreachable := configFolder(t, "realm: reports\nbearer: {audience: reports, issuer: '"+down.URL+"'}\n")
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
	}{
		{[]string{"config", "check", "-c", file}, 0, file + ": no errors\n", ""},
		{[]string{"config", "check", "-c", bad}, 1, "", bad + `:2:1: unknown key "bassic" (did you mean basic?)` + "\n"},
		{[]string{"config", "check", "-c", unreachable, "--timeout", "10ms"}, 1, "", unreachable + ":2:37: bearer.issuer: not ready: no answer within 10ms: " + down.URL},
		{[]string{"config", "check", "-c", unreachable, "--offline"}, 0, unreachable + ": no errors; other services were not asked\n", ""},
		{[]string{"config", "show", "-c", file}, 0, "  cache_ttl: 1m # default\n", ""},
		{[]string{"config", "show", "-c", bad}, 1, "", ":2:1: "},
		{[]string{"config", "check", "-c", "none.yaml"}, 2, "", "sallyport init"},
		{[]string{"config", "schema"}, 0, `"redis": {`, ""},
		{[]string{"serve", "-c", bad}, 1, "", ":2:1: "},
		{[]string{"serve", "-c", "none.yaml"}, 2, "", "none.yaml"},
		{[]string{"config"}, 2, "", "check"},
	} {
		var stdout, stderr strings.Builder
		if got := program(c.args, nil, &stdout, &stderr); got != c.code {
			t.Errorf("%q: exit code %d, want %d: %s", c.args, got, c.code, stderr.String())
		}
		if !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) || c.stderr == "" && stderr.Len() > 0 {
			t.Errorf("%q: printed %q and %q, want %q and %q", c.args, stdout.String(), stderr.String(), c.stdout, c.stderr)
		}
	}
	var stdout, stderr strings.Builder
	if program([]string{"config", "schema"}, nil, &stdout, &stderr); !json.Valid([]byte(stdout.String())) {
		t.Error("the schema is not JSON")
	}
}

// TestEndWhileReloading: a store that does not answer does not keep a service from ending.
func TestEndWhileReloading(t *testing.T) {
	file := configFolder(t, serveConfig)
	g, err := openService(file)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	t.Setenv("SALLYPORT_TEST_STORE", "redis://"+silent.Addr().String())
	writeFile(t, file, strings.Replace(serveConfig, "files: policy.csv", `store: {redis: {url: "${SALLYPORT_TEST_STORE}"}}`, 1))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := silent.Accept(); err == nil {
			defer func() { _ = conn.Close() }()
			cancel()
			_, _ = io.Copy(io.Discard, conn)
		}
	}()
	if err := g.reload(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the reload ended with %v", err)
	}
}
