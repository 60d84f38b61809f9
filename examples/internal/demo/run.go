package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// Server is a web server of any framework. [*http.Server] is one.
type Server interface {
	// Serve answers requests until Shutdown is called.
	Serve(l net.Listener) error
	// Shutdown stops taking requests and waits for those under way, at most
	// until ctx ends.
	Shutdown(ctx context.Context) error
}

// grace is how long requests under way may take to finish once the server is
// told to stop. It is longer than the 5 s for which net/http waits for
// connections that have sent nothing yet.
const grace = 20 * time.Second

// Main runs the server that build makes until the process is interrupted or
// terminated. It ends the process with status 1 when that fails, or when build
// panics with an error, which it prints.
func Main(build func(*Demo) Server) {
	Program(func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		return Run(ctx, args, stdout, stderr, build)
	})
}

// Program runs a program until the process is interrupted or terminated. It ends
// the process with status 1 when run fails, and prints the error, which may be
// [flag.ErrHelp].
func Program(run func(ctx context.Context, args []string, stdout, stderr io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run is [Main] with everything it takes from the process given: it serves
// until ctx ends. It writes "listening on http://ADDR" to stdout once the
// socket listens, and logs to stderr.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, build func(*Demo) Server) error {
	f, err := parse(args, stderr)
	if err != nil {
		return err
	}
	d, err := newDemo(f, slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return err
	}
	defer func() { _ = d.close() }()
	server, err := assemble(d, build)
	if err != nil {
		return err
	}
	defer d.reloadOnHangup(ctx)()
	return listen(ctx, server, d.addr, stdout, d.greet)
}

// Serve serves at addr until ctx ends. It writes "listening on http://ADDR" to
// stdout once the socket listens.
func Serve(ctx context.Context, server Server, addr string, stdout io.Writer) error {
	return listen(ctx, server, addr, stdout, func(io.Writer, string) error { return nil })
}

// listen is Serve with a greeting before the line that says where it listens.
func listen(ctx context.Context, server Server, addr string, stdout io.Writer, greet func(w io.Writer, address string) error) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	address := "http://" + l.Addr().String()
	if err := greet(stdout, address); err != nil {
		return errors.Join(err, l.Close())
	}
	if _, err := fmt.Fprintln(stdout, "listening on", address); err != nil {
		return errors.Join(err, l.Close())
	}
	return serve(ctx, server, l)
}

// assemble makes the server. A panic with an error is how build says what is
// wrong with the flags and files.
func assemble(d *Demo, build func(*Demo) Server) (server Server, err error) {
	defer Caught(&err)
	return build(d), nil
}

// Caught turns a panic with an error into that error when deferred. Bugs go on to
// panic.
func Caught(err *error) {
	r := recover()
	if r == nil {
		return
	}
	failed, ok := r.(error)
	if _, bug := r.(runtime.Error); bug || !ok {
		panic(r)
	}
	*err = failed
}

// serve serves on l until ctx ends.
func serve(ctx context.Context, server Server, l net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(ctx)
	_ = l.Close() // in case the server had not taken it yet
	<-served
	if err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}
