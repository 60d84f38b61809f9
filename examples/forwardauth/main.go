// Command forwardauth is a guard for applications that do not know about it: a
// proxy in front of them asks it about each request, and tells them who it is.
//
//	go run ./examples/forwardauth -proxy nginx
//
// docs/proxies.md has the configuration of nginx, Caddy, HAProxy, Traefik and
// Envoy that goes with it.
//
// To copy it, drop examples/internal/demo, which runs the server until it is
// interrupted: call server.ListenAndServe, and log.Fatal in must. For the files
// of examples/policy take your own, with casbinrules.Open and htpasswd.OpenFile.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/forwardauth"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/proxy"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/policy"
)

func main() { demo.Program(run) }

// proxies are the proxies that the guard supports.
var proxies = map[string]forwardauth.Proxy{
	"nginx": forwardauth.Nginx(), "caddy": forwardauth.Caddy(), "haproxy": forwardauth.HAProxy(),
	"traefik": forwardauth.Traefik(), "envoy": forwardauth.Envoy("/check"),
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	defer demo.Caught(&err) // of must
	flags := flag.NewFlagSet("forwardauth", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on, for the proxy alone")
	name := flags.String("proxy", "nginx", "`proxy` that asks: nginx, caddy, haproxy, traefik or envoy")
	from := flags.String("from", "127.0.0.1/32", "`network` of the proxy; nobody else is answered")
	if err := flags.Parse(args); err != nil {
		return err
	}
	asking, ok := proxies[*name]
	if !ok {
		return fmt.Errorf("-proxy %q: one of nginx, caddy, haproxy, traefik, envoy", *name)
	}
	network, err := netip.ParsePrefix(*from)
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	trusted := must(proxy.New([]netip.Prefix{network}))
	server := &http.Server{
		Handler:     routes(newGuard(log), trusted, asking),
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	return demo.Serve(ctx, server, *addr, stdout)
}

// routes returns the two endpoints: one for the question, and one for the answer to
// refused requests, which nginx fetches separately.
func routes(guard *core.Guard, trusted *proxy.Trust, asking forwardauth.Proxy) http.Handler {
	asked := must(forwardauth.New(must(guard.Authorize()), trusted, asking))
	mux := http.NewServeMux()
	mux.Handle("/check", httpauth.Serve(asked.Check))
	mux.Handle("/check/", httpauth.Serve(asked.Check)) // Envoy appends the path
	mux.Handle("/refusal", httpauth.Serve(asked.Refusal))
	return mux
}

// newGuard returns a guard that asks for a password, and the policy for the decision.
func newGuard(log *slog.Logger) *core.Guard {
	rules := must(casbinrules.OpenFS(policy.Files, casbinrules.ModelFile(policy.Model), []string{policy.Rules}, casbinrules.WithLogger(log)))
	file := must(policy.Files.ReadFile(policy.Users))
	users := must(htpasswd.Parse(policy.Users, bytes.NewReader(file)))
	// With the cache, a page does not cost a password hash for each image.
	scheme := must(basic.New("reports", must(basic.NewCache(users))))
	return must(core.NewGuard([]core.Authenticator{scheme},
		core.WithAuthorizer(rules), core.WithObserver(core.LogObserver(log)), core.WithLogger(log)))
}

// must panics with the error, which demo.Caught returns from run.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
