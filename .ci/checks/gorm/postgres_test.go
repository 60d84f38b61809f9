//go:build unix

package gorm

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// server is a PostgreSQL server of the test's own, on a socket in a folder.
type server struct {
	dsn  string
	stop func()
}

// startPostgres starts one, and skips the test where none is installed.
func startPostgres(t *testing.T) server {
	t.Helper()
	if testing.Short() {
		t.Skip("not run: it starts a PostgreSQL server, and -short is given")
	}
	initdb, postgres := program(t, "initdb"), program(t, "postgres")
	owner := unprivileged(t)
	// The path of a socket must be short, which t.TempDir need not be.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "LC_ALL=C")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		return cmd
	}
	data := filepath.Join(dir, "data")
	if out, err := run(initdb, "-D", data, "-U", "sallyport", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	cmd := run(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off")
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// A fast shutdown ends the connections that are open.
	stop := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	awaitReady(t, said)
	return server{dsn: "host=" + dir + " user=sallyport dbname=postgres", stop: stop}
}

// awaitReady reads what a server says until it takes connections.
func awaitReady(t *testing.T, said io.Reader) {
	t.Helper()
	ready := make(chan error, 1)
	go func() {
		var log bytes.Buffer
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "ready to accept connections") {
				ready <- nil
				_, _ = io.Copy(io.Discard, said) // so that it never waits for its pipe
				return
			}
			log.WriteString(lines.Text() + "\n")
		}
		ready <- errors.New("the server has ended: " + log.String())
	}()
	select {
	case err := <-ready:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(authtest.TimeLimit(time.Minute)):
		t.Fatal("the server is not ready after a minute")
	}
}

// program finds a program of PostgreSQL, which Debian does not put into PATH.
func program(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case len(found) == 0 && os.Getenv("CI") != "":
		t.Fatalf("CI is set, and %s is neither in PATH nor below /usr/lib/postgresql: install Debian's package postgresql", name)
	case len(found) == 0:
		t.Skipf("not run: %s is neither in PATH nor below /usr/lib/postgresql: install postgresql to run this test", name)
	}
	return found[len(found)-1]
}

// unprivileged is the user that PostgreSQL runs as, since it does not run as
// root: nil for the one of the test.
func unprivileged(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("CI is set, PostgreSQL does not run as root, and there is no user postgres or nobody")
	}
	t.Skip("not run: PostgreSQL does not run as root, and there is no user postgres or nobody")
	return nil
}
