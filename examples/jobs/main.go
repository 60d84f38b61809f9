// Command jobs sends the requests listed in a file to a service and reacts to each
// answer: a 403 fails the job for good, a 401 gets a new token and continues, a 503
// waits.
//
//	go run ./examples/nethttp            # prints tokens
//	echo TOKEN > token
//	go run ./examples/jobs -token-file token examples/jobs/jobs.txt
//
// The client is below; queue.go says what each answer means for a job. To copy
// it, drop flags.go and file.go, and the source of tokens that you do not use.
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

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/sallyport-go/sallyport/core/authclient"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "jobs:", err)
		os.Exit(1)
	}
}

// run is main with everything it needs from the process as arguments.
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

// newQueue assembles the client. The queue itself waits, so that a job that has to wait
// does not occupy a worker.
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

// tokens returns the source of access tokens: a file, or the token endpoint.
func (c config) tokens(secret string) authclient.TokenFunc {
	if c.tokenFile != "" {
		return fromFile(c.tokenFile)
	}
	return fromEndpoint(&clientcredentials.Config{
		ClientID: c.clientID, ClientSecret: secret, TokenURL: c.tokenURL,
		AuthStyle: oauth2.AuthStyleInHeader, // which every endpoint must support (RFC 6749 §2.3.1)
	})
}

// fromFile reads the token at each call, so that it picks up a renewed one.
func fromFile(name string) authclient.TokenFunc {
	return func(context.Context) (string, time.Time, error) {
		text, err := os.ReadFile(name)
		return strings.TrimSpace(string(text)), time.Time{}, err
	}
}

// fromEndpoint calls Token rather than a TokenSource, which returns the token it
// has until that expires, even if a service has refused it.
func fromEndpoint(c *clientcredentials.Config) authclient.TokenFunc {
	return func(ctx context.Context) (string, time.Time, error) {
		t, err := c.Token(ctx)
		if err != nil {
			return "", time.Time{}, err
		}
		return t.AccessToken, t.Expiry, nil
	}
}
