// Command demo starts the example servers, sends each the same requests over
// real sockets, and prints what they answered in one table. It fails when an
// answer is not the expected one, or the frameworks differ.
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

	"github.com/sallyport-go/sallyport/examples/internal/scenario"
)

const (
	// buildLimit is how long the servers may take to build, on a machine that
	// has to download and compile everything first.
	buildLimit = 10 * time.Minute
	// runLimit is how long everything after that may take.
	runLimit = time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run builds, starts and tries the servers. All of them have stopped when it
// returns.
func run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sallyport-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Fprintln(stderr, "building the servers …")
	bin, err := build(ctx, dir, stderr)
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

	servers, stop, err := start(ctx, bin, world.Args())
	defer stop()
	if err != nil {
		return err
	}
	begin := time.Now()
	results, err := world.Play(ctx, servers)
	if err != nil {
		return err
	}
	return report(stdout, servers, results, time.Since(begin))
}

// report prints the table and the verdict. It is an error when an answer is not
// the expected one.
func report(w io.Writer, servers []scenario.Server, results []scenario.Result, took time.Duration) error {
	if err := scenario.Print(w, servers, results); err != nil {
		return err
	}
	differences := scenario.Differences(servers, results)
	fmt.Fprintf(w, "\n%s\n\n", scenario.Legend)
	for _, line := range differences {
		fmt.Fprintln(w, line)
	}
	if n := len(differences); n > 0 {
		fmt.Fprintf(w, "FAIL: %d of %d answers are not as expected\n", n, len(results)*len(servers))
		return errors.New("the frameworks do not answer as expected")
	}
	fmt.Fprintf(w, "OK: %d scenarios on %d frameworks, all equal and as expected (%.1f s)\n", len(results), len(servers), took.Seconds())
	return nil
}
