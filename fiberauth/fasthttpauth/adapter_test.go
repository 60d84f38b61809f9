package fasthttpauth_test

import (
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth"
)

// The adapter here is for fasthttp without a framework: the path is the route.

// view is the core's view of a request.
type view struct {
	fasthttpauth.View
	ctx   *fasthttp.RequestCtx
	watch fasthttpauth.Watched
}

func newView(ctx *fasthttp.RequestCtx) *view {
	v := &view{ctx: ctx}
	v.Show(ctx, false)
	return v
}

func (v *view) Method() string { return fasthttpauth.CopyOfMethod(string(v.ctx.Method())) }

func (v *view) Route() (core.Route, error) {
	return core.Route{Path: string(v.ctx.URI().PathOriginal()), Escaped: true}, nil
}

func (v *view) Param(string) string { return "" }

// contextKey is the key of the user value with a request's context.
type contextKey struct{}

func contextOf(ctx *fasthttp.RequestCtx) (of *fasthttpContext) {
	of, ok := ctx.UserValue(contextKey{}).(*fasthttpContext)
	if !ok {
		of = &fasthttpContext{Context: background}
		ctx.SetUserValue(contextKey{}, of)
	}
	return of
}

// behind is a handler behind a gate.
func behind(t *testing.T, gate *core.Gate, err error, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx *fasthttp.RequestCtx) {
		v, of := newView(ctx), contextOf(ctx)
		v.watch.Begin(of.Context, ctx.Conn())
		verdict := gate.Check(&v.watch, v)
		v.watch.End()
		if verdict.Response != nil {
			v.Refuse(&verdict, false)
			return
		}
		fasthttpauth.AddFields(&ctx.Response.Header, verdict.Fields...)
		of.Context = verdict.Context
		fasthttpauth.DecideCaching(ctx, verdict.SharedCaching)
		defer fasthttpauth.KeepFields(ctx, verdict.Fields)
		next(ctx)
		fasthttpauth.TellLate(ctx, of.get)
	}
}

// check asks a rule inside a handler and reports whether it allows.
func check(ctx *fasthttp.RequestCtx, g *core.Guard, rule core.Authorizer) bool {
	v, of := newView(ctx), contextOf(ctx)
	verdict := g.CheckNow(of.Context, v, rule)
	if verdict.Response == nil {
		fasthttpauth.PassCheck(ctx, &verdict)
		of.Context = verdict.Context
		return true
	}
	if !fasthttpauth.Sealed(ctx) {
		fasthttpauth.RefuseInside(ctx, v, verdict, func() {
			_, undo, _ := verdict.Concealed()
			fasthttpauth.Undo(&ctx.Response.Header, undo)
			ctx.Error("Not Found", http.StatusNotFound)
		})
	}
	return false
}

// serve serves h on a socket.
func serve(t *testing.T, h fasthttp.RequestHandler) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, done := &fasthttp.Server{Handler: h, Logger: discard{}, StreamRequestBody: true}, make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends when it is shut down
	}()
	t.Cleanup(func() {
		_ = server.Shutdown()
		<-done
	})
	return l.Addr().String()
}

type discard struct{}

func (discard) Printf(string, ...any) {}

func send(ctx *fasthttp.RequestCtx) { ctx.SetBodyString(authtest.MiddlewareSecret) }

// ways are ways in which handlers write after a refusal.
var ways = map[string]func(*fasthttp.RequestCtx){
	"body":       send,
	"nothing":    func(*fasthttp.RequestCtx) {},
	"redirect":   func(ctx *fasthttp.RequestCtx) { ctx.Redirect("/elsewhere", http.StatusFound) },
	"hints":      func(ctx *fasthttp.RequestCtx) { ctx.Response.Header.Set("Link", "</x>"); _ = ctx.EarlyHints() },
	"stream":     func(ctx *fasthttp.RequestCtx) { ctx.SetBodyStream(strings.NewReader(authtest.MiddlewareSecret), -1) },
	"hijack":     func(ctx *fasthttp.RequestCtx) { ctx.Hijack(func(c net.Conn) { _, _ = c.Write([]byte(raw)) }) },
	"connection": func(ctx *fasthttp.RequestCtx) { _, _ = ctx.Conn().Write([]byte(raw)); _ = ctx.Conn().Close() },
	"deadline":   func(ctx *fasthttp.RequestCtx) { _ = ctx.Conn().SetDeadline(time.Unix(1, 0)) },
}

const raw = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"

// TestOneAnswer: however a handler writes after a refusal, the client gets only what the
// gate or the check has written, and the guard logs it.
func TestOneAnswer(t *testing.T) {
	var log strings.Builder
	g := authtest.MiddlewareGuard(t, core.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	for name, write := range ways {
		routes := map[string]fasthttp.RequestHandler{}
		authorize, err := g.Authorize()
		routes["/gate"] = behind(t, authorize, err, send)
		optional, err := g.Optional()
		routes["/check"] = behind(t, optional, err, func(ctx *fasthttp.RequestCtx) {
			if check(ctx, g, authtest.MiddlewareRule()) {
				send(ctx)
			}
		})
		routes["/wrong"] = behind(t, optional, err, func(ctx *fasthttp.RequestCtx) {
			if check(ctx, g, authtest.MiddlewareRule()) {
				send(ctx)
				return
			}
			if check(ctx, g, authtest.MiddlewareRule()) {
				t.Error("the second check allows")
			}
			write(ctx)
		})
		log.Reset()
		addr := serve(t, func(ctx *fasthttp.RequestCtx) { routes[string(ctx.Path())](ctx) })
		authtest.CheckMiddleware(t, "http://"+addr)
		if told := strings.Contains(log.String(), "a handler wrote after a refusal"); told != (name == "body" || name == "redirect" || name == "stream" || name == "hijack") {
			t.Errorf("%s: told: %v", name, told)
		}
	}
}
