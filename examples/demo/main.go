// Command demo starts the example servers, sends all of them the same requests over
// real sockets, and prints their answers in one table. It fails if an answer is not
// the expected one, or the frameworks differ.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/examples/shared/scenario"
	"github.com/sallyport-go/sallyport/examples/shared/servers"
)

// runLimit bounds the time for everything once the servers are built.
var runLimit = authtest.TimeLimit(5 * time.Minute)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run builds and starts the servers and sends the requests. All servers have
// stopped when it returns.
func run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Fprintln(stderr, "building the servers …")
	bin, err := servers.Build(ctx, dir, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	world, err := scenario.NewWorld(dir)
	if err != nil {
		return err
	}
	defer func() { _ = world.Close() }() // closed by then, unless something failed

	started, stop, err := servers.Start(ctx, bin, world.Args())
	defer stop()
	if err != nil {
		return err
	}
	begin := time.Now()
	results, err := world.Play(ctx, started)
	if err != nil {
		return err
	}
	return report(stdout, started, results, time.Since(begin))
}

// report prints the table and the result. It returns an error if an answer is not
// the expected one.
func report(w io.Writer, tried []scenario.Server, results []scenario.Result, took time.Duration) error {
	if err := scenario.Print(w, tried, results); err != nil {
		return err
	}
	differences := scenario.Differences(tried, results)
	fmt.Fprintf(w, "\n%s\n\n", scenario.Legend)
	for _, line := range differences {
		fmt.Fprintln(w, line)
	}
	if n := len(differences); n > 0 {
		fmt.Fprintf(w, "FAIL: %d of %d answers are not as expected\n", n, len(results)*len(tried))
		return errors.New("the frameworks do not answer as expected")
	}
	fmt.Fprintf(w, "OK: %d scenarios on %d frameworks, all equal and as expected (%.1f s)\n", len(results), len(tried), took.Seconds())
	return nil
}
