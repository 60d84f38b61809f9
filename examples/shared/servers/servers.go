// Package servers builds the example servers and runs them as processes of their
// own, for the demo and for tests with other programs.
package servers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/scenario"
)

// commands are the servers, by the folder of their package.
var commands = []struct{ folder, framework string }{
	{"gin", "Gin"}, {"fiber", "Fiber"}, {"fiber3", "Fiber v3"}, {"echo", "Echo"}, {"echo5", "Echo v5"}, {"nethttp", "net/http"},
}

const module = "github.com/sallyport-go/sallyport/examples/"

var (
	// buildLimit is how long the servers may take to build, on a machine that
	// has to download and compile everything first.
	buildLimit = authtest.TimeLimit(10 * time.Minute)
	// startLimit is how long a server may take until it listens.
	startLimit = authtest.TimeLimit(2 * time.Minute)
	// stopLimit is how long a server may take to stop before it is killed: longer
	// than it waits itself for requests under way.
	stopLimit = authtest.TimeLimit(time.Minute)
)

// Build compiles the servers into a folder below dir, which it returns. Output
// of the compiler goes to stderr.
func Build(ctx context.Context, dir string, stderr io.Writer) (bin string, err error) {
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	bin = filepath.Join(dir, "bin") + string(filepath.Separator) // a folder, for go build
	args := []string{"build", "-o", bin}
	for _, c := range commands {
		args = append(args, module+c.folder)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	err = cmd.Run()
	if ctx.Err() != nil {
		return "", fmt.Errorf("build the servers: %w", ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("build the servers (run this inside the repository): %w", err)
	}
	return bin, nil
}

// Start starts all servers that [Build] has put into bin, with args, and waits
// until they listen. stop ends those that have been started and waits until they
// have; it is never nil. They end with ctx too.
func Start(ctx context.Context, bin string, args []string) (servers []scenario.Server, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	stop = func() {
		cancel()
		running.Wait()
	}
	for _, c := range commands {
		p, err := launch(ctx, filepath.Join(bin, c.folder), args)
		if err != nil {
			return nil, stop, fmt.Errorf("%s: %w", c.framework, err)
		}
		running.Go(p.wait)
		url, err := p.ready(ctx)
		if err != nil {
			return nil, stop, fmt.Errorf("%s: %w", c.framework, err)
		}
		servers = append(servers, scenario.Server{Name: c.framework, URL: url})
	}
	return servers, stop, nil
}

// process is a running server.
type process struct {
	cmd       *exec.Cmd
	out       io.Reader
	log       *tail
	listening chan string // the URL, closed when the output ends
}

// launch starts a server that is told to stop when ctx ends.
func launch(ctx context.Context, path string, args []string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, path, args...), log: new(tail), listening: make(chan string, 1)}
	p.cmd.Stderr = p.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopLimit
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = out
	return p, p.cmd.Start()
}

// wait reads the server's output until it ends and then waits for the server.
func (p *process) wait() {
	defer close(p.listening)
	lines := bufio.NewScanner(p.out)
	for told := false; lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok && !told {
			p.listening <- url
			told = true
		}
	}
	_ = p.cmd.Wait() // how it ended shows in its log
}

// ready waits until the server listens and returns its URL.
func (p *process) ready(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, errors.New("the server does not listen in time"))
	defer cancel()
	select {
	case url, ok := <-p.listening:
		if !ok {
			return "", fmt.Errorf("the server ended: %s", p.log)
		}
		return url, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
