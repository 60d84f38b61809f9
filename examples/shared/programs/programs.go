// Package programs runs the real programs that tests need: proxies, servers,
// command-line clients. What it starts listens on the loopback interface and
// ends with the test.
package programs

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Need is the path of a program that has one of these names. Without it the
// test is left out, except where CI is set: there it fails.
func Need(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("CI is set, and there is none of %q on this machine", names)
	}
	t.Skipf("not run: there is none of %q on this machine", names)
	return ""
}

// Nginx starts nginx with what configuration makes of a directory of its own
// and of the address to listen at, and returns that address when it listens.
func Nginx(t testing.TB, configuration func(dir, addr string) string) string {
	t.Helper()
	return listening(t, Need(t, "nginx", "/usr/sbin/nginx"), configuration, func(dir, file string) []string {
		return []string{"-p", dir, "-c", file, "-e", "stderr"}
	})
}

// Caddy is like [Nginx].
func Caddy(t testing.TB, configuration func(dir, addr string) string) string {
	t.Helper()
	return listening(t, Need(t, "caddy"), configuration, func(_, file string) []string {
		return []string{"run", "--adapter", "caddyfile", "--config", file}
	})
}

// HAProxy is like [Nginx].
func HAProxy(t testing.TB, configuration func(dir, addr string) string) string {
	t.Helper()
	return listening(t, Need(t, "haproxy", "/usr/sbin/haproxy"), configuration, func(_, file string) []string {
		return []string{"-db", "-f", file}
	})
}

// listening starts the server at path, which has its configuration in a file,
// and returns the address of it when it listens there.
func listening(t testing.TB, path string, configuration func(dir, addr string) string, args func(dir, file string) []string) string {
	t.Helper()
	dir, addr, name := t.TempDir(), Unused(t), filepath.Base(path)
	file := filepath.Join(dir, name+".conf")
	if err := os.WriteFile(file, []byte(configuration(dir, addr)), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(path, args(dir, file)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
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
			t.Logf("%s: %s", name, &log)
		}
	})
	deadline := time.After(authtest.TimeLimit(2 * time.Minute))
	for {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = conn.Close()
			return addr
		}
		select {
		case <-exited:
			t.Fatalf("%s has ended:\n%s", name, &log)
		case <-deadline:
			t.Fatalf("%s does not listen", name)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Unused is an address of the loopback interface at which nobody listens, and that
// no listener gets that asks for any port.
func Unused(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", authtest.FreePort(t))
}
