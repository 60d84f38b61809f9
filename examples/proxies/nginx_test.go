// Package proxies_test runs the documented configurations of docs/proxies.md
// with nginx, in front of servers on Gin, Fiber, Echo and net/http.
package proxies_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/doccheck"
)

// TestMain keeps what the tests provoke out of their output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	gin.SetMode(gin.TestMode)
	m.Run()
}

// documented is the block "nginx NAME" of docs/proxies.md, with the second of
// each pair in place of the first, which must be there.
func documented(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	// By a link inside the module, as in package doccheck.
	pages, err := doccheck.ReadPages(filepath.Join("..", "doccheck", "testdata", "repository") + "/.")
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, page := range pages {
		for _, b := range page.Blocks {
			if slices.Equal(b.Info, []string{"nginx", name}) {
				text += b.Text
			}
		}
	}
	for pair := range slices.Chunk(pairs, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("the block nginx %s has no %q", name, pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// program is nginx. Without it on the machine the test is left out, save where
// CI is set: there it fails.
func program(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("CI is set, and there is no nginx: install Debian's package nginx-light")
	case err != nil:
		t.Skip("not run: it needs nginx, and there is none on this machine")
	}
	return path
}

// startNginx starts nginx with configuration, in which "listen 80;" becomes an
// address of the loopback interface, and returns that when it listens. nginx
// ends with the test.
func startNginx(t *testing.T, configuration string) string {
	t.Helper()
	path, dir, addr := program(t), t.TempDir(), unused(t)
	if !strings.Contains(configuration, "listen 80;") {
		t.Fatal("the configuration listens nowhere")
	}
	var paths strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&paths, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	text := fmt.Sprintf("daemon off; master_process off; pid %s;\nevents {}\nhttp {\naccess_log off;\n%s%s}\n", filepath.Join(dir, "pid"), &paths,
		strings.NewReplacer("listen 80;", "listen "+addr+";", "/var/cache/nginx/", dir+"/").Replace(configuration))
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(path, "-p", dir, "-c", file, "-e", "stderr")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // says that it was killed
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
		if t.Failed() {
			t.Logf("nginx: %s", &log)
		}
	})
	deadline := time.After(20 * time.Second)
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = conn.Close()
			return addr
		}
		select {
		case <-exited:
			t.Fatalf("nginx has ended:\n%s", &log)
		case <-deadline:
			t.Fatal("nginx does not listen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// unused is an address of the loopback interface at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// ask sends one request with header lines "Name: value".
func ask(t *testing.T, addr, method, target string, lines ...string) authtest.Answer {
	t.Helper()
	return authtest.Send(t, addr, strings.Join(append([]string{method + " " + target + " HTTP/1.1", "Host: localhost"}, lines...), "\n"))
}
