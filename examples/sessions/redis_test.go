//go:build unix

package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
)

// redisServer is a Redis of this test's own, which keeps what it is told on disk
// before it answers.
type redisServer struct {
	t       *testing.T
	program string
	port    string
	dir     string
	cmd     *exec.Cmd
	out     *bytes.Buffer
}

// startRedis starts a Redis on a free port of the loopback interface. Without
// the program on the machine the test is left out, except where CI is set: there
// it fails.
func startRedis(t *testing.T) *redisServer {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("CI is set, and there is no redis-server: install Debian's package redis-server")
	case err != nil:
		t.Skip("not run: it needs redis-server, and there is none on this machine")
	}
	r := &redisServer{t: t, program: program, port: authtest.FreePort(t), dir: t.TempDir()}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *redisServer) addr() string { return net.JoinHostPort("127.0.0.1", r.port) }

// start returns when the server answers.
func (r *redisServer) start() {
	r.t.Helper()
	r.out = new(bytes.Buffer)
	r.cmd = exec.Command(r.program, "--port", r.port, "--bind", "127.0.0.1", "--dir", r.dir,
		"--save", "", "--appendonly", "yes", "--appendfsync", "always")
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	client := connect(r.addr())
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(r.t.Context(), authtest.TimeLimit(2*time.Minute))
	defer cancel()
	for client.Ping(ctx).Err() != nil {
		select {
		case <-ctx.Done():
			r.kill()
			r.t.Fatalf("redis-server does not answer:\n%s", r.out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the server as a crash would.
func (r *redisServer) kill() {
	if r.cmd.ProcessState == nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait() // says that it was killed
	}
}

// signal stops the server in its tracks, or lets it go on.
func (r *redisServer) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}
