// Command jobs sends the requests listed in a file to a service and does with
// each answer what it asks for: a 403 fails the job for good, a 401 gets a new
// token and goes on, a 503 waits.
//
//	go run ./examples/nethttp            # prints tokens
//	echo TOKEN > token
//	go run ./examples/jobs -token-file token examples/jobs/jobs.txt
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/core/authclient"
)

// secretVariable holds the client's secret, which arguments would show to all.
const secretVariable = "JOBS_CLIENT_SECRET"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "jobs:", err)
		os.Exit(1)
	}
}

// config is what the command line says.
type config struct {
	service                       string
	tokenFile, tokenURL, clientID string
	workers, attempts             int
	jobs                          string
}

func parse(args []string, w io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("jobs", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller tells of errors
	flags.StringVar(&c.service, "service", "http://127.0.0.1:8080", "`origin` of the service")
	flags.StringVar(&c.tokenFile, "token-file", "", "`file` with an access token that something else renews")
	flags.StringVar(&c.tokenURL, "token-url", "", "`URL` of the token endpoint; needs -client, and the secret in "+secretVariable)
	flags.StringVar(&c.clientID, "client", "", "`ID` of this client at the token endpoint")
	flags.IntVar(&c.workers, "workers", 4, "`number` of requests at a time")
	flags.IntVar(&c.attempts, "attempts", 5, "`number` of times a job is tried before it has failed")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		flags.SetOutput(w)
		flags.PrintDefaults()
		return c, err
	case err != nil:
		return c, fmt.Errorf("%w; see -help", err)
	case flags.NArg() != 1:
		return c, errors.New("give one file with jobs; see -help")
	case (c.tokenFile == "") == (c.tokenURL == ""):
		return c, errors.New("give either -token-file or -token-url")
	case c.tokenURL != "" && c.clientID == "":
		return c, errors.New("-token-url needs -client")
	case c.workers < 1 || c.attempts < 1:
		return c, errors.New("-workers and -attempts must be positive")
	}
	c.jobs = flags.Arg(0)
	return c, nil
}

// run is main with everything it takes from the process given.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	jobs, err := openJobs(c.jobs)
	if err != nil {
		return err
	}
	q, err := newQueue(c, getenv(secretVariable))
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range q.work(ctx, jobs) {
		if !r.done {
			failed++
		}
		if _, err := fmt.Fprintln(stdout, r); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d jobs failed", failed, len(jobs))
	}
	return nil
}

// newQueue assembles the client. The queue waits itself, so that a job which has
// to wait keeps no worker busy.
func newQueue(c config, secret string) (*queue, error) {
	tokens, err := authclient.Bearer(c.tokens(secret))
	if err != nil {
		return nil, err
	}
	transport, err := authclient.New(nil, tokens, []string{c.service}, authclient.WithoutWaiting())
	if err != nil {
		return nil, err
	}
	return &queue{
		client:   &http.Client{Transport: transport, Timeout: time.Minute},
		service:  strings.TrimSuffix(c.service, "/"),
		workers:  c.workers,
		attempts: c.attempts,
		sleep:    sleep,
		random:   rand.Float64,
	}, nil
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
