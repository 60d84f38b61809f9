package main

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

	"github.com/sallyport-go/sallyport/examples/internal/scenario"
)

// commands are the servers, by the folder of their package.
var commands = []struct{ folder, framework string }{
	{"gin", "Gin"}, {"fiber", "Fiber"}, {"echo", "Echo"}, {"nethttp", "net/http"},
}

const (
	module = "github.com/sallyport-go/sallyport/examples/"
	// startLimit is how long a server may take until it listens.
	startLimit = 20 * time.Second
	// stopLimit is how long a server may take to stop before it is killed.
	stopLimit = 5 * time.Second
)

// build compiles the servers into a folder below dir.
func build(ctx context.Context, dir string, stderr io.Writer) (bin string, err error) {
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

// start starts all servers with args. stop ends those that have been started
// and waits until they have; it is never nil.
func start(ctx context.Context, bin string, args []string) (servers []scenario.Server, stop func(), err error) {
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

// tail keeps the last part of what is written to it. It is safe for concurrent
// use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// maxTail is enough for the message a server ends with.
const maxTail = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(len(t.text)-maxTail, 0):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
