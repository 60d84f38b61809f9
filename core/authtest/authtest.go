// Package authtest is the conformance suite that every adapter runs, with helpers for tests
// of applications.
//
// [Run] tests a [Framework] over real sockets for every promise that an adapter can keep or
// break: an adapter feature without a case here does not exist. An adapter's own test
// consists of a Framework and one call of Run. Promises that no framework can break are
// tested once, on [NetHTTP], by this package's own tests.
package authtest

import (
	"bytes"
	"context"
	"io"
	"log"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/must"
)

// Framework builds and serves apps on one web framework with the adapter under test.
// Package, Serve, Writers and Native are required. The zero value of every other field
// stands for a framework without that property.
type Framework struct {
	// Name is used in messages only; the suite has no special cases by name.
	Name string
	// Package is the name of the adapter's package, which prefixes its messages about a
	// wrong set-up.
	Package string
	// Serve serves app on l, with the framework's default configuration, until the test
	// ends. It must not return before the app is built.
	Serve func(t testing.TB, l net.Listener, app App)
	// FoldsCase reports that the router ignores letter case by default.
	FoldsCase bool
	// IgnoresSlash reports that, by default, the router serves a route at its path with a
	// slash appended, too.
	IgnoresSlash bool
	// RoutesDecoded reports that, by default, the router matches the decoded path, so that
	// an encoded slash separates segments.
	RoutesDecoded bool
	// Spellings maps unusual request targets of the suite to the status with which the
	// router itself answers them, such as a redirect for "/files//secret", if that differs
	// from the answer of a gate.
	Spellings map[string]int
	// Pattern converts a pattern of [Route] to the router's syntax; nil if they are the
	// same.
	Pattern func(pattern string) string
	// RoutesBehindUse reports that routing happens after the gates around the whole app, so
	// these cannot know the pattern of the route.
	RoutesBehindUse bool
	// Methods are the methods that routes may have, nil for any. The framework answers
	// others by itself.
	Methods []string
	// SeesSent reports that the adapter can tell whether an answer was sent before its
	// gate. With net/http alone it cannot: whatever a gate then writes is appended.
	SeesSent bool
	// Buffers reports that nothing is sent before the last handler has returned, so that a
	// gate's answer replaces what was written before.
	Buffers bool
	// IgnoresHangUps reports that calls made by the gates are not cancelled when the client
	// hangs up.
	IgnoresHangUps bool
	// SealsInFront reports that the adapter can seal the response for middleware in front
	// of its gate, too. With net/http alone it cannot: the server itself drops what exceeds
	// the answer, and nothing else.
	SealsInFront bool
	// Writers are the framework's own ways to write a response, such as "stream", "hijack"
	// and "redirect", with a status below 400. Names of those that write to the connection
	// directly begin with "hijack".
	Writers map[string]Handler
	// LongLived are the framework's own ways to keep writing while serve runs, such as
	// "stream" and "hijack", with status 200 and every write flushed. If the framework
	// requires the handler to return first, serve runs after it. If there are none, the
	// cases about connections that stay open are skipped.
	LongLived map[string]func(x Exchange, serve func(w io.Writer)) error
	// HTTP2 reports that Serve also accepts HTTP/2 without TLS with prior knowledge (RFC
	// 9113 §3.3), as [ServeHTTP] does.
	HTTP2 bool
	// Form parses a multipart form by the framework's own means, and stores its files on
	// disk, however small. If it is nil, the case about such files is skipped.
	Form func(Exchange) (*multipart.Form, error)
	// Native converts a handler to the framework's own type.
	Native func(Handler) any
	// NativeCode finds the framework's own error in err and returns its status. It is nil
	// for frameworks whose apps have no error handler.
	NativeCode func(err error) (status int, ok bool)
}

func (f Framework) pattern(pattern string) string {
	if f.Pattern == nil {
		return pattern
	}
	return f.Pattern(pattern)
}

// App describes an application independently of frameworks.
type App struct {
	// Before are plain middleware around the whole app and its gates. Each may set headers
	// or write; then the rest of the app runs.
	Before []Handler
	// After are plain middleware around Before. Each is called after the rest of the app
	// has run.
	After []Handler
	// Use are gates around the whole app.
	Use []Gate
	// Trees are mounted before the routes.
	Trees  []Tree
	Routes []Route
	// NotFound, if not nil, is a handler made by [Framework.Native] for paths without a
	// route.
	NotFound any
	// Errors, if not nil, is called with each error that reaches the app's own error
	// handler, on frameworks that have one. The error handler leaves complete answers
	// alone.
	Errors func(error)
	// OnError, if not nil, answers each error that reaches the app's own error handler,
	// whether or not an answer was already written.
	OnError Handler
}

// Tree serves all paths below a prefix by the framework's own means: a folder with its
// static file server, or a net/http handler that does its own routing.
type Tree struct {
	// Prefix is the prefix at which the tree is mounted as a group, such as "/static".
	Prefix string
	// Gates apply to the group.
	Gates []Gate
	// Dir is the folder to serve; if it is set, Handler is nil.
	Dir string
	// Handler receives requests with their full path.
	Handler http.Handler
}

// Route is one route. In Pattern, ":name" stands for one segment and a final "/*" for the
// rest.
type Route struct {
	// Group is the prefix of the group that contains the route; "" for none.
	Group string
	// Mounted makes Group a sub-app on frameworks that support that.
	Mounted bool
	// GroupGates apply to the group, and Gates to the route.
	GroupGates []Gate
	// Methods are the methods of the route; nil for the framework's "any".
	Methods []string
	Pattern string
	Gates   []Gate
	// Handler handles requests that pass the gates, unless Endpoint does.
	Handler  Handler
	Endpoint core.Endpoint
}

// Handle runs the route's endpoint or handler.
func (rt Route) Handle(x Exchange) error {
	if rt.Endpoint != nil {
		return x.Serve(rt.Endpoint)
	}
	return rt.Handler(x)
}

// Gate is a gate, mounted with the adapter's function of the same name.
type Gate struct {
	Kind    string // "Authenticate", "Optional", "Authorize" or "Require"
	Guard   *core.Guard
	Rules   []core.Authorizer
	Options []core.GateOption
}

// Handler handles a request that has passed the gates.
type Handler func(x Exchange) error

// Exchange is a request and its response as users of the adapter see them.
type Exchange interface {
	// Context returns the request's context.
	Context() context.Context
	// SetContext replaces the request's context, as a middleware does.
	SetContext(ctx context.Context)
	// Principal returns the result of the adapter's Principal.
	Principal() *core.Principal
	// Param returns the path parameter from the framework; "*" is the rest of the path.
	Param(name string) string
	// Check calls the adapter's Check.
	Check(g *core.Guard, rules ...core.Authorizer) error
	// Request returns the result of the adapter's Request.
	Request() core.Request
	// AddFields calls the adapter's AddFields.
	AddFields(fields ...core.Field)
	// Serve answers with the adapter's Serve.
	Serve(e core.Endpoint) error
	// SetHeader sets a header field of the response.
	SetHeader(name, value string)
	// AddHeader adds a field line to the response.
	AddHeader(name, value string)
	// Text answers with plain text.
	Text(status int, body string) error
}

// Mounts maps the kinds of gates to an adapter's functions.
type Mounts[M any] struct {
	Authenticate        func(*core.Guard) M
	Optional, Authorize func(*core.Guard, ...core.GateOption) M
	Require             func(*core.Guard, ...core.Authorizer) M
}

// All mounts gates in order.
func (m Mounts[M]) All(gates []Gate) []M {
	var out []M
	for _, g := range gates {
		switch g.Kind {
		case "Authenticate":
			out = append(out, m.Authenticate(g.Guard))
		case "Optional":
			out = append(out, m.Optional(g.Guard, g.Options...))
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
	l := must.Have(net.Listen("tcp", "127.0.0.1:0"))(t)
	f.Serve(t, l, app)
	return l.Addr().String()
}

// secondWrites is the standard error without what net/http says of a second status: many
// cases have something in front of a gate write one.
type secondWrites struct{}

func (secondWrites) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("superfluous response.WriteHeader")) {
		return len(line), nil
	}
	return os.Stderr.Write(line)
}

// ServeHTTP serves h on l until the test ends, over HTTP/1.1 and HTTP/2, for frameworks on
// net/http.
func ServeHTTP(t testing.TB, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ErrorLog: log.New(secondWrites{}, "", log.LstdFlags), ReadTimeout: TimeLimit(time.Minute), WriteTimeout: TimeLimit(time.Minute), Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // always ErrServerClosed
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
}
