//go:build unix

// Package redistest starts Redis servers for tests, using the installed program.
package redistest

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// Server is a private server on a free port of the loopback interface. It keeps its data
// between Stop and Start, and ends with the test.
type Server struct {
	t         testing.TB
	dir, addr string
	scheme    string   // of the URL
	config    []string // its file, or none
	more      []string
	ready     string // what it prints when it can be used
	cmd       *exec.Cmd
}

// Start starts a server; args are additional arguments of redis-server. If the program is
// not installed, the test is skipped, or fails if CI is set.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	port := authtest.FreePort(t)
	return start(t, "redis", port, append([]string{"--port", port}, args...))
}

func start(t testing.TB, scheme, port string, args []string) *Server {
	t.Helper()
	// It accepts connections before it has loaded its data, and answers LOADING until then.
	s := &Server{scheme: scheme, more: args, ready: "Ready to accept connections"}
	s.start(t, port)
	return s
}

func (s *Server) start(t testing.TB, port string) {
	t.Helper()
	s.t, s.dir, s.addr = t, t.TempDir(), net.JoinHostPort("127.0.0.1", port)
	t.Cleanup(s.Stop)
	s.Start()
}

// Addr returns the address of the server.
func (s *Server) Addr() string { return s.addr }

// URL returns the URL of the server.
func (s *Server) URL() string { return s.scheme + "://" + s.addr }

// Start starts the server again after Stop.
func (s *Server) Start() {
	s.t.Helper()
	program, err := exec.LookPath("redis-server")
	switch {
	case err != nil && os.Getenv("CI") != "":
		s.t.Fatal("CI is set, and there is no redis-server: install Debian's package redis-server")
	case err != nil:
		s.t.Skip("not run: it needs redis-server, and there is none on this machine")
	}
	s.cmd = exec.Command(program, slices.Concat(s.config, []string{"--bind", "127.0.0.1", "--dir", s.dir, "--save", ""}, s.more)...)
	said, err := s.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	authtest.AwaitLine(s.t, said, s.ready)
}

// Process returns the server's process, for tests that send signals to it.
func (s *Server) Process() *os.Process { return s.cmd.Process }

// Stop stops the server. Its data only survives reliably if the server was started with
// "--appendonly", "yes", "--appendfsync", "always".
func (s *Server) Stop() { s.Crash() }

// Crash kills the server.
func (s *Server) Crash() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait() // reports that it was killed
		s.cmd = nil
	}
}

// Pause suspends the server, with its connections open, until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume continues the server.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}
