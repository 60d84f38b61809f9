//go:build unix

// Package postgrestest starts PostgreSQL servers for tests, using the installed programs:
// those in PATH, or where Debian's package postgresql installs them.
package postgrestest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Server is a private server on the loopback interface. It keeps its data between Stop and
// Start, and ends with the test.
type Server struct {
	t     testing.TB
	dir   string
	port  string
	owner *syscall.Credential
	more  []string
	ready string // what it says when it can be used
	cmd   *exec.Cmd
}

// Start creates and starts a server with the superuser "sallyport", who needs no password;
// settings are lines of postgresql.conf, such as "ssl=on". If PostgreSQL is not installed,
// the test is skipped, or fails if CI is set.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := prepare(t, unprivileged(t), settings)
	s.run("initdb", "-D", s.data(), "-U", "sallyport", "-A", "trust", "-E", "UTF8", "--no-sync")
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// Standby starts a server that has what s has, and takes from it what is written, until
// [Server.Promote].
func (s *Server) Standby() *Server {
	s.t.Helper()
	standby := prepare(s.t, s.owner, s.more)
	standby.run("pg_basebackup", "-d", "host=127.0.0.1 user=sallyport port="+s.port, "-D", standby.data(), "-R", "-c", "fast", "--no-sync")
	standby.ready = "ready to accept read-only connections"
	s.t.Cleanup(standby.Stop)
	standby.Start()
	return standby
}

// Promote has a standby accept writes.
func (s *Server) Promote() {
	s.t.Helper()
	s.run("pg_ctl", "-D", s.data(), "promote", "-w")
	s.ready = ready
}

const ready = "ready to accept connections"

// prepare makes the directory of a server.
func prepare(t testing.TB, owner *syscall.Credential, settings []string) *Server {
	t.Helper()
	s := &Server{t: t, owner: owner, port: authtest.FreePort(t), more: settings, ready: ready}
	// The path of a socket must be short, which that of t.TempDir may not be.
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	s.dir = dir
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.Own(dir)
	return s
}

// run runs one of PostgreSQL's programs.
func (s *Server) run(name string, args ...string) {
	s.t.Helper()
	if out, err := s.command(program(s.t, name), args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Own gives a file to the user that runs the server, who may not be the user of the test.
func (s *Server) Own(path string) {
	s.t.Helper()
	if s.owner == nil {
		return
	}
	if err := os.Chown(path, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
		s.t.Fatal(err)
	}
}

// Dir returns a directory that the server can read.
func (s *Server) Dir() string { return s.dir }

// URL returns a connection string for a role over TCP. It already has a parameter, so
// others can be appended with "&".
func (s *Server) URL(role string) string {
	limit := authtest.TimeLimit(time.Minute)
	return fmt.Sprintf("postgres://%s@127.0.0.1:%s/postgres?connect_timeout=%.0f", role, s.port, limit.Seconds())
}

// Addr returns the address of the server.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", s.port) }

// Start starts the server again after Stop.
func (s *Server) Start() {
	s.t.Helper()
	args := []string{"-D", s.data(), "-k", s.dir, "-p", s.port, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"}
	for _, setting := range s.more {
		args = append(args, "-c", setting)
	}
	s.cmd = s.command(program(s.t, "postgres"), args...)
	said, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	authtest.AwaitLine(s.t, said, s.ready)
}

// Restart stops the server and starts it with other settings.
func (s *Server) Restart(settings ...string) {
	s.t.Helper()
	s.Stop()
	s.more = settings
	s.Start()
}

// Stop ends the server and all its connections.
func (s *Server) Stop() { s.end(syscall.SIGINT) } // a fast shutdown

// Crash ends the server in the middle of what it does: it recovers at the next
// start.
func (s *Server) Crash() { s.end(syscall.SIGQUIT) } // an immediate shutdown

func (s *Server) end(how os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(how)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Process returns the server's process, for tests that suspend it.
func (s *Server) Process() *os.Process { return s.cmd.Process }

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	return cmd
}

// program finds a program of PostgreSQL, which Debian does not install in PATH.
func program(t testing.TB, name string) string {
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

// unprivileged returns the user to run PostgreSQL as, since it refuses to run as root; nil
// for the user of the test.
func unprivileged(t testing.TB) *syscall.Credential {
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
