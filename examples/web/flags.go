package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// frameworks are the servers, by the value of the flag.
var frameworks = map[string]func(*site) demo.Server{
	"gin": ginServer, "echo": echoServer, "echo5": echo5Server, "fiber": fiberServer, "fiber3": fiber3Server,
	"nethttp": func(s *site) demo.Server { return httpServer(netHTTPRoutes(s)) },
}

// read are the methods of what changes nothing, for routers that keep HEAD
// apart from GET.
var read = []string{http.MethodGet, http.MethodHead}

// The limits of the servers. A form has no reason to be longer than maxBody,
// in bytes.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = 30 * time.Second
	idleTimeout  = time.Minute
	maxBody      = 64 << 10
)

func httpServer(h http.Handler) demo.Server {
	return &http.Server{
		Handler:     http.MaxBytesHandler(h, maxBody),
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
	}
}

// config is what the flags say.
type config struct {
	framework, addr string
	lifetime        time.Duration
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	names := strings.Join(slices.Sorted(maps.Keys(frameworks)), ", ")
	flags := flag.NewFlagSet("web", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.framework, "framework", "nethttp", "one of "+names)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "address to listen on, of the loopback interface")
	flags.DurationVar(&c.lifetime, "demo-only-session-lifetime", 0, "end sessions so soon that it can be watched, such as 20s")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	switch {
	case flags.NArg() > 0:
		return c, fmt.Errorf("unexpected argument %q: all settings are flags, see -help", flags.Arg(0))
	case frameworks[c.framework] == nil:
		return c, fmt.Errorf("-framework %q: one of %s", c.framework, names)
	case !isLoopback(c.addr):
		return c, fmt.Errorf("-addr %q: a loopback address such as 127.0.0.1:8080, since this example has no TLS", c.addr)
	}
	return c, nil
}

// isLoopback reports whether addr, with a port, is of this machine alone.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
