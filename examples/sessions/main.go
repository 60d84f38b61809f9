// Command sessions shows a sign-in with cookies on Gin, Fiber, Echo and net/http,
// with the sessions of all of them in one Redis.
//
//	redis-server --port 6399 &
//	go run ./examples/sessions -redis 127.0.0.1:6399
//	curl -i -d 'user=alice&password=alice-pass' http://127.0.0.1:8080/login
//
// The routes for net/http are below; gin.go, fiber.go, fiber3.go, echo.go and
// echo5.go have those of the others. To copy it, drop what comes from
// examples/internal/demo, which runs the server until it is interrupted, the option
// for plain HTTP in run, and the demo's users: htpasswd.OpenFile takes a file.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/alexedwards/scs/goredisstore"
	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/basic"
	"github.com/sallyport-go/sallyport/core/htpasswd"
	"github.com/sallyport-go/sallyport/core/httpauth"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/policy"
)

func main() { demo.Program(run) }

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("sessions", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on, of the loopback interface: there is no TLS")
	server := flags.String("redis", "127.0.0.1:6379", "`address` of Redis")
	framework := flags.String("framework", "nethttp", "`framework`: nethttp, gin, fiber, fiber3, echo or echo5")
	if err := flags.Parse(args); err != nil {
		return err
	}
	build, ok := frameworks[*framework]
	if !ok {
		return fmt.Errorf("-framework %q: one of nethttp, gin, fiber, fiber3, echo, echo5", *framework)
	}
	file, err := policy.Files.ReadFile(policy.Users)
	if err != nil {
		return err
	}
	users, err := htpasswd.Parse(policy.Users, bytes.NewReader(file))
	if err != nil {
		return err
	}
	client := connect(*server)
	defer func() { _ = client.Close() }() // there is nothing left to send
	s, err := newSite(client, users, session.WithPlainHTTPForDevelopment())
	if err != nil {
		return err
	}
	return demo.Serve(ctx, build(s), *addr, stdout)
}

// connect returns a client that fails fast, so that an outage of Redis results in
// 503 rather than in a pile of waiting requests.
func connect(addr string) *redis.Client {
	const limit = 500 * time.Millisecond
	return redis.NewClient(&redis.Options{
		Addr: addr, DialTimeout: limit, ReadTimeout: limit, WriteTimeout: limit,
		ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1,
	})
}

// site is what the routes need.
type site struct {
	guard     *core.Guard
	sessions  *session.Manager
	passwords basic.Verifier
}

// newSite returns a site with its sessions in Redis. The prefix separates them from other
// keys there.
func newSite(client *redis.Client, passwords basic.Verifier, opts ...session.Option) (*site, error) {
	manager, err := session.New(append([]session.Option{
		session.WithStore(goredisstore.NewWithPrefix(client, "shop:session:")),
		session.WithStoreTimeout(time.Second),
		session.WithSignInRedirect("/me"),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{manager})
	return &site{guard, manager, passwords}, err
}

// routesNetHTTP are the routes on net/http.
func (s *site) routesNetHTTP() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /login", httpauth.Serve(s.sessions.LoginEndpoint(s.passwords)))
	mux.Handle("POST /logout", httpauth.Serve(s.sessions.LogoutEndpoint()))

	signedIn := httpauth.Authenticate(s.guard)
	mux.Handle("GET /me", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, httpauth.Principal(r).ID()) // the client has gone
	})))
	mux.Handle("POST /logout/everywhere", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpauth.Serve(s.signOutEverywhere(httpauth.Principal(r))).ServeHTTP(w, r)
	})))
	return mux
}
