// Package authtest is the conformance suite that every adapter runs, and
// helpers for tests of applications.
//
// [Run] drives a [Framework] over real sockets through everything an adapter
// promises: a feature without a case here does not exist. An adapter's own test
// is a Framework and one call of Run.
package authtest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Framework builds and serves apps on one web framework with the adapter under
// test.
type Framework struct {
	Name string
	// Serve serves app on l, with the framework's default configuration, until
	// the test ends. It must not return before the app is built.
	Serve func(t testing.TB, l net.Listener, app App)
	// FoldsCase says that the router ignores letter case by default.
	FoldsCase bool
	// IgnoresSlash says that the router serves a route at its path with a
	// slash appended, by default.
	IgnoresSlash bool
}

// App is an application in words every framework understands.
type App struct {
	// Use are gates around the whole app.
	Use    []Gate
	Routes []Route
	// Errors, when not nil, is told of each error that reaches the app's own
	// error handler, on frameworks that have one. The handler leaves complete
	// answers alone.
	Errors func(error)
}

// Route is one route. Pattern has ":name" for one segment and a last "/*" for
// the rest.
type Route struct {
	// Group is the prefix of a group the route is in; "" for none.
	Group string
	// Mounted makes Group a sub-app where the framework has such a thing.
	Mounted bool
	// GroupGates stand on the group, Gates on the route.
	GroupGates []Gate
	// Methods are the methods of the route; nil for all the framework's "any".
	Methods []string
	Pattern string
	Gates   []Gate
	Handler Handler
}

// Gate is a gate to mount with the adapter's function of the same name.
type Gate struct {
	Kind    string // "Authenticate", "Optional", "Authorize" or "Require"
	Guard   *core.Guard
	Rules   []core.Authorizer
	Options []core.GateOption
}

// Handler handles a request that has passed the gates.
type Handler func(x Exchange) error

// Exchange is a request and its response, as an adapter's user sees them.
type Exchange interface {
	// Context is the request's context.
	Context() context.Context
	// Principal is what the adapter's Principal gives.
	Principal() *core.Principal
	// Param is the path parameter as the framework gives it, "*" for the rest.
	Param(name string) string
	// Check is the adapter's Check.
	Check(g *core.Guard, rules ...core.Authorizer) error
	// SetHeader sets a header field of the response.
	SetHeader(name, value string)
	// Text answers with a plain text.
	Text(status int, body string) error
}

// Mounts maps the kinds of gates to an adapter's functions.
type Mounts[M any] struct {
	Authenticate, Optional func(*core.Guard) M
	Authorize              func(*core.Guard, ...core.GateOption) M
	Require                func(*core.Guard, ...core.Authorizer) M
}

// All mounts gates in order.
func (m Mounts[M]) All(gates []Gate) []M {
	var out []M
	for _, g := range gates {
		switch g.Kind {
		case "Authenticate":
			out = append(out, m.Authenticate(g.Guard))
		case "Optional":
			out = append(out, m.Optional(g.Guard))
		case "Authorize":
			out = append(out, m.Authorize(g.Guard, g.Options...))
		case "Require":
			out = append(out, m.Require(g.Guard, g.Rules...))
		default:
			panic("authtest: no gate " + g.Kind)
		}
	}
	return out
}

// Start serves app on a loopback socket and returns its address.
func (f Framework) Start(t testing.TB, app App) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(t, l, app)
	return l.Addr().String()
}

// ServeHTTP serves h on l until the test ends, for frameworks on net/http.
func ServeHTTP(t testing.TB, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends with ErrServerClosed
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
}

// Answer is a response, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Send writes a request exactly as given, with "\n" for CRLF and a final blank
// line and "Connection: close" added, to addr and reads the answer. The first
// word is the method.
func Send(t testing.TB, addr, request string) Answer {
	t.Helper()
	a, err := send(addr, request)
	if err != nil {
		t.Fatalf("send %q: %v", request, err)
	}
	return a
}

func send(addr, request string) (Answer, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return Answer{}, err
	}
	head, body, _ := strings.Cut(request, "\n\n")
	wire := strings.ReplaceAll(strings.TrimSuffix(head, "\n"), "\n", "\r\n") + "\r\nConnection: close\r\n\r\n" + body
	if _, err := io.WriteString(conn, wire); err != nil {
		return Answer{}, err
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(b)}, err
}

// Request is the text of a request for [Send]: a request line and header lines
// "Name: value".
func Request(method, target string, header ...string) string {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: app.example"}, header...)
	return strings.Join(lines, "\n")
}
