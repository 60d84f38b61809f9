//go:build unix

// Package redistest starts Redis servers for tests, with the program that is
// installed.
package redistest

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Server is a server of the test's own on a free port of the loopback interface.
// It keeps its data between Stop and Start, and ends with the test.
type Server struct {
	t         testing.TB
	dir, addr string
	scheme    string // of its URL
	more      []string
	cmd       *exec.Cmd
}

// Start starts one; args are further ones of redis-server. The test is skipped
// where the program is not installed, and fails there if CI is set.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	port := authtest.FreePort(t)
	return start(t, "redis", port, append([]string{"--port", port}, args...))
}

func start(t testing.TB, scheme, port string, args []string) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), addr: net.JoinHostPort("127.0.0.1", port), scheme: scheme, more: args}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.addr }

// URL names the server.
func (s *Server) URL() string { return s.scheme + "://" + s.addr }

// Start starts the server once more after Stop.
func (s *Server) Start() {
	s.t.Helper()
	program, err := exec.LookPath("redis-server")
	switch {
	case err != nil && os.Getenv("CI") != "":
		s.t.Fatal("CI is set, and there is no redis-server: install Debian's package redis-server")
	case err != nil:
		s.t.Skip("not run: it needs redis-server, and there is none on this machine")
	}
	s.cmd = exec.Command(program, append([]string{"--bind", "127.0.0.1", "--dir", s.dir, "--save", ""}, s.more...)...)
	said, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	// It takes connections before it has read its data, and answers LOADING until then.
	authtest.AwaitLine(s.t, said, "Ready to accept connections")
}

// Process is that of the server, for tests that send it signals.
func (s *Server) Process() *os.Process { return s.cmd.Process }

// Stop ends the server. What it had answered is there at the next start only if
// it was started with "--appendonly", "yes", "--appendfsync", "always".
func (s *Server) Stop() { s.Crash() }

// Crash ends the server in the middle of what it does.
func (s *Server) Crash() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // says that it was killed
		s.cmd = nil
	}
}

// Pause has the server do nothing, with its connections open, until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume has it go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}
