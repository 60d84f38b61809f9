// Package authtest is the conformance suite that every adapter runs, and
// helpers for tests of applications.
//
// [Run] drives a [Framework] over real sockets through everything an adapter can
// keep or break: a feature of adapters without a case here does not exist. An
// adapter's own test is a Framework and one call of Run. What no framework can
// change is proved once, by the tests of this package on [NetHTTP].
package authtest

import (
	"context"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Framework builds and serves apps on one web framework with the adapter under
// test. Package, Serve, Writers and Native must be set. The zero value of every
// other field is a framework that does not have what the field says.
type Framework struct {
	// Name is for messages; the suite knows no framework by it.
	Name string
	// Package is the name of the adapter's package, with which what it says of
	// a wrong set-up begins.
	Package string
	// Serve serves app on l, with the framework's default configuration, until
	// the test ends. It must not return before the app is built.
	Serve func(t testing.TB, l net.Listener, app App)
	// FoldsCase says that the router ignores letter case by default.
	FoldsCase bool
	// IgnoresSlash says that the router serves a route at its path with a
	// slash appended, by default.
	IgnoresSlash bool
	// RoutesDecoded says that the router matches the path as it is decoded, by
	// default, so that an encoded slash separates segments.
	RoutesDecoded bool
	// Spellings are the statuses that the router itself gives to odd request
	// targets of the suite, such as a redirect for "/files//secret", where they
	// differ from what a gate answers.
	Spellings map[string]int
	// Pattern is how the router writes a pattern of [Route]; nil for just so.
	Pattern func(pattern string) string
	// RoutesBehindUse says that a route is found behind the gates around the
	// whole app, which then cannot know its pattern.
	RoutesBehindUse bool
	// RefusesMethods says that the framework itself answers a method that it
	// does not know, before any middleware.
	RefusesMethods bool
	// SeesSent says that an adapter can know that an answer was sent before
	// its gate. With net/http alone it cannot: what a gate then writes is
	// appended.
	SeesSent bool
	// Buffers says that nothing is sent before the last handler has returned,
	// so that a gate's answer replaces what was written before.
	Buffers bool
	// IgnoresHangUps says that a client that hangs up does not cancel what the
	// gates ask.
	IgnoresHangUps bool
	// SealsInFront says that an adapter can seal the response for what stands in
	// front of its gate, too. With net/http alone it cannot: the server itself
	// drops what exceeds the answer, and nothing else.
	SealsInFront bool
	// Writers are the framework's own ways to answer, such as "stream", "hijack"
	// and "redirect", with a status below 400. The names of those that write to the
	// connection themselves begin with "hijack".
	Writers map[string]Handler
	// LongLived are the framework's own ways to go on answering for as long as serve
	// runs, such as "stream" and "hijack", with status 200 and each write sent at
	// once. Where the framework lets a handler return before, serve runs after it.
	// Without one, the cases about connections that stay open are skipped.
	LongLived map[string]func(x Exchange, serve func(w io.Writer)) error
	// HTTP2 says that Serve also answers HTTP/2 without TLS to clients that know so
	// (RFC 9113 §3.3), as [ServeHTTP] does.
	HTTP2 bool
	// Form parses a form of several parts by the framework's own means, with its files
	// on disk, however small. Without it, the case about such files is skipped.
	Form func(Exchange) (*multipart.Form, error)
	// Native is a handler as the framework's own.
	Native func(Handler) any
	// NativeCode finds the framework's own error in err and gives its status.
	// It is nil for frameworks whose apps have no error handler.
	NativeCode func(err error) (status int, ok bool)
}

func (f Framework) pattern(pattern string) string {
	if f.Pattern == nil {
		return pattern
	}
	return f.Pattern(pattern)
}

// App is an application in words every framework understands.
type App struct {
	// Before are plain middleware around the whole app and its gates. Each
	// sets or writes what it likes; the rest of the app then runs.
	Before []Handler
	// After are plain middleware around Before; each is called once the rest of
	// the app has run.
	After []Handler
	// Use are gates around the whole app.
	Use []Gate
	// Trees are mounted before the routes.
	Trees  []Tree
	Routes []Route
	// NotFound, when not nil, is a handler made by [Framework.Native] that is
	// registered for paths without a route.
	NotFound any
	// Errors, when not nil, is told of each error that reaches the app's own
	// error handler, on frameworks that have one. The handler leaves complete
	// answers alone.
	Errors func(error)
	// OnError, when not nil, answers each error that reaches the app's own error
	// handler, whether or not there is an answer.
	OnError Handler
}

// Tree is what answers for all paths below a prefix by the framework's own means
// for that: a folder by its server of static files, or a handler of net/http
// that finds its way by itself.
type Tree struct {
	// Prefix is where it is mounted, as a group: "/static".
	Prefix string
	// Gates stand on the group.
	Gates []Gate
	// Dir is the folder; with it, Handler is nil.
	Dir string
	// Handler is given requests with their whole path.
	Handler http.Handler
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
	// Handler handles what passes the gates, unless Endpoint does.
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
	// Request is what the adapter's Request gives.
	Request() core.Request
	// AddFields is the adapter's AddFields.
	AddFields(fields ...core.Field)
	// Serve answers by the adapter's Serve.
	Serve(e core.Endpoint) error
	// SetHeader sets a header field of the response.
	SetHeader(name, value string)
	// AddHeader adds a field line to the response.
	AddHeader(name, value string)
	// Text answers with a plain text.
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.Serve(t, l, app)
	return l.Addr().String()
}

// ServeHTTP serves h on l until the test ends, by HTTP/1.1 and by HTTP/2, for
// frameworks on net/http.
func ServeHTTP(t testing.TB, l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadTimeout: TimeLimit(time.Minute), WriteTimeout: TimeLimit(time.Minute), Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
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
