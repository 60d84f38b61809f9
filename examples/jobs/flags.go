package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// secretVariable holds the client's secret, which arguments would show to all.
const secretVariable = "JOBS_CLIENT_SECRET"

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
