// Command web serves a small site for browsers on any of the frameworks.
//
//	go run ./examples/web -framework gin
//
// It is for this machine alone: it speaks plain HTTP and listens on loopback
// addresses only.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/examples/internal/webapp"
)

//go:embed policy static templates
var files embed.FS

// frameworks are the servers, by the name of the flag's value.
var frameworks = map[string]func(*webapp.Site) server{
	"gin": ginServer, "echo": echoServer, "fiber": fiberServer, "nethttp": netHTTPServer,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	framework, addr string
	lifetime        time.Duration
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	names := make([]string, 0, len(frameworks))
	for name := range frameworks {
		names = append(names, name)
	}
	slices.Sort(names)
	flags := flag.NewFlagSet("web", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.framework, "framework", "nethttp", "one of "+strings.Join(names, ", "))
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "address to listen on, of the loopback interface")
	flags.DurationVar(&c.lifetime, "demo-only-session-lifetime", 0, "end sessions so soon that it can be watched, such as 20s")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	switch {
	case flags.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q: all settings are flags, see -help", flags.Arg(0))
	case frameworks[c.framework] == nil:
		return c, fmt.Errorf("-framework %q: one of %s", c.framework, strings.Join(names, ", "))
	case !isLoopback(c.addr):
		return c, fmt.Errorf("-addr %q: a loopback address such as 127.0.0.1:8080, since this example has no TLS", c.addr)
	}
	return c, nil
}

// run serves until ctx ends. It writes "listening on http://ADDR" to stdout
// once the socket listens, and logs to stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	site := webapp.Config{Files: files, Log: log}
	if c.lifetime != 0 {
		log.Warn("DEMO ONLY: sessions end early", "after", c.lifetime)
		site.Session = append(site.Session, session.WithIdleTimeout(c.lifetime), session.WithAbsoluteTimeout(c.lifetime))
	}
	s, err := webapp.New(site)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }() // nothing is left to be written
	return serve(ctx, frameworks[c.framework](s), c.addr, stdout)
}
