// Command live keeps connections open, as a stream of events and as a WebSocket, and
// ends them when the session that opened them does, on Gin, Fiber, Echo and
// net/http.
//
//	go run ./examples/live
//	curl -c jar -d 'user=alice&password=alice-pass' http://127.0.0.1:8080/login
//	curl -N -b jar http://127.0.0.1:8080/events &
//	curl -b jar -X POST http://127.0.0.1:8080/logout
//
// The routes for net/http are below, frameworks.go has those of the others. To copy
// it, drop what comes from examples/internal/demo, the option for plain HTTP and the
// demo's users: htpasswd.OpenFile takes a file.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

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
	flags := flag.NewFlagSet("live", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "127.0.0.1:8080", "`address` to listen on, of the loopback interface: there is no TLS")
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
	s, err := newSite(users, 5*time.Second, session.WithPlainHTTPForDevelopment())
	if err != nil {
		return err
	}
	return demo.Serve(ctx, build(s), *addr, stdout)
}

// site is what the routes need.
type site struct {
	live     *core.Guard // for the routes with long-lived connections
	sessions *session.Manager
	users    basic.Verifier
	every    time.Duration // how often they are checked again
}

func newSite(users basic.Verifier, every time.Duration, opts ...session.Option) (*site, error) {
	sessions, err := session.New(append([]session.Option{session.WithSignInRedirect("/events")}, opts...)...)
	if err != nil {
		return nil, err
	}
	guard, err := core.NewGuard([]core.Authenticator{sessions})
	if err != nil {
		return nil, err
	}
	live, err := guard.With(core.WithRecheck())
	return &site{live, sessions, users, every}, err
}

// events writes an event each second as long as the session that opened the stream is
// valid, and then why it ends. write sends its argument at once. An outage of the session
// store is tolerated for a minute.
func (s *site) events(ctx context.Context, write func(string) error) {
	good, cancel := core.ContextWhileGood(ctx, s.every, time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	p, _ := core.PrincipalFrom(ctx)
	for text := "data: hello " + p.ID() + "\n\n"; ; text = "data: tick\n\n" {
		if err := write(text); err != nil {
			return // the client has gone
		}
		select {
		case <-tick.C:
		case <-good.Done():
			_ = write(fmt.Sprintf("event: over\ndata: %d\n\n", core.CloseCode(good)))
			return
		}
	}
}

// talk echoes messages on a WebSocket as long as the session is valid.
func (s *site) talk(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	good, cancel := core.ContextWhileGood(r.Context(), s.every, time.Minute)
	defer cancel()
	stop := context.AfterFunc(good, func() { _ = c.Close(websocket.StatusCode(core.CloseCode(good)), "") })
	defer stop()
	for {
		kind, message, err := c.Read(context.WithoutCancel(good)) // ends when c is closed
		if err != nil {
			return
		}
		if err := c.Write(good, kind, message); err != nil {
			return
		}
	}
}

// routesNetHTTP are the routes on net/http.
func (s *site) routesNetHTTP() http.Handler {
	mux, signedIn := http.NewServeMux(), httpauth.Authenticate(s.live)
	mux.Handle("POST /login", httpauth.Serve(s.sessions.LoginEndpoint(s.users)))
	mux.Handle("POST /logout", httpauth.Serve(s.sessions.LogoutEndpoint()))
	mux.Handle("GET /talk", signedIn(http.HandlerFunc(s.talk)))
	mux.Handle("GET /events", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.events(r.Context(), sending(w))
	})))
	return mux
}
