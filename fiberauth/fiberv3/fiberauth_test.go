package fiberauth_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/static"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/fiberauth/fiberv3"
)

func TestConformance(t *testing.T) {
	authtest.Run(t, framework())
}

// routerStatuses are the router's own answers to unusual targets.
var routerStatuses = map[string]int{
	"/files%2Fsecret":      404,
	"/%66iles/secret":      404,
	"/FILES/secret":        403,
	"/Files/Secret":        200,
	"/STATIC/secret/x.txt": 403,
	"/staticsecret/x.txt":  404,
	"/NESTED/secret":       403,
	"/nestedsecret":        404,
	"/ADMIN/7":             403,
	"/admin/":              403,
}

func framework() authtest.Framework {
	return with(fiber.Config{})
}

// with returns Fiber with another configuration.
func with(cfg fiber.Config) authtest.Framework { return withContext(cfg, nil) }

// withContext has contexts of the app's own.
func withContext(cfg fiber.Config, of func(*fiber.App) fiber.CustomCtx) authtest.Framework {
	return authtest.Framework{
		Name: "fiber3", Package: "fiberauth", Spellings: routerStatuses, FoldsCase: true, IgnoresSlash: true, Methods: fiber.DefaultMethods, Buffers: true, RoutesDecoded: cfg.UnescapePath, SealsInFront: true, Writers: writers, LongLived: longLived, IgnoresHangUps: runtime.GOOS == "windows",
		Native: func(h authtest.Handler) any { return func(c fiber.Ctx) error { return h(exchange{c}) } },
		Serve:  func(t testing.TB, l net.Listener, app authtest.App) { serve(t, l, app, cfg, of) },
		NativeCode: func(err error) (int, bool) {
			var native *fiber.Error
			if !errors.As(err, &native) {
				return 0, false
			}
			return native.Code, true
		},
	}
}

// TestRetentionWithOptions: strings are copied, whichever path they take through the
// resolver.
func TestRetentionWithOptions(t *testing.T) {
	for name, cfg := range map[string]fiber.Config{
		"case sensitive":   {CaseSensitive: true, StrictRouting: true},
		"unescaped":        {UnescapePath: true},
		"raw header names": {DisableHeaderNormalizing: true},
	} {
		t.Run(name, func(t *testing.T) { authtest.RunRetention(t, with(cfg)) })
	}
}

// TestPathsWithOptions: no option of the router makes a rule avoidable.
func TestPathsWithOptions(t *testing.T) {
	for name, cfg := range map[string]fiber.Config{
		"case sensitive":       {CaseSensitive: true},
		"strict":               {StrictRouting: true},
		"strict and sensitive": {CaseSensitive: true, StrictRouting: true},
		"unescaped":            {UnescapePath: true},
		"unescaped, sensitive": {UnescapePath: true, CaseSensitive: true},
		"immutable":            {Immutable: true},
		"raw header names":     {DisableHeaderNormalizing: true},
	} {
		t.Run(name, func(t *testing.T) { authtest.RunPaths(t, with(cfg)) })
	}
}

var mounts = authtest.Mounts[fiber.Handler]{
	Authenticate: fiberauth.Authenticate, Optional: fiberauth.Optional,
	Authorize: fiberauth.Authorize, Require: fiberauth.Require,
}

func serve(t testing.TB, l net.Listener, app authtest.App, cfg fiber.Config, of func(*fiber.App) fiber.CustomCtx) {
	cfg.ReadTimeout = authtest.TimeLimit(10 * time.Second)
	if app.Errors != nil {
		cfg.ErrorHandler = func(c fiber.Ctx, err error) error {
			app.Errors(err)
			var refused *fiberauth.Error
			if errors.As(err, &refused) {
				return nil
			}
			return fiber.DefaultErrorHandler(c, err)
		}
	}
	if app.OnError != nil {
		cfg.ErrorHandler = func(c fiber.Ctx, _ error) error { return app.OnError(exchange{c}) }
	}
	root := fiber.NewWithCustomCtx(of, cfg)
	for _, after := range slices.Backward(app.After) {
		root.Use(func(c fiber.Ctx) error {
			err := c.Next()
			_ = after(exchange{c}) // its output stands
			return err
		})
	}
	for _, before := range app.Before {
		root.Use(func(c fiber.Ctx) error {
			_ = before(exchange{c}) // its output stands
			return c.Next()
		})
	}
	for _, m := range mounts.All(app.Use) {
		root.Use("/*", m)
	}
	for _, tree := range app.Trees {
		group := root.Group(tree.Prefix, anys(mounts.All(tree.Gates))...)
		if tree.Dir != "" {
			group.Use(static.New(tree.Dir))
		} else {
			group.Use(tree.Handler)
		}
	}
	for _, rt := range app.Routes {
		add(root, rt)
	}
	if h, ok := app.NotFound.(fiber.Handler); ok {
		root.Use(h)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = root.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) // ends when the app is shut down
	}()
	t.Cleanup(func() {
		_ = root.ShutdownWithTimeout(authtest.TimeLimit(2 * time.Second))
		_ = l.Close() // the app may not be listening yet
		<-done
	})
}

// writers are Fiber's ways to answer.
var writers = map[string]authtest.Handler{
	"send":     func(x authtest.Exchange) error { return x.(exchange).c.Send([]byte("late")) },
	"json":     func(x authtest.Exchange) error { return x.(exchange).c.JSON("late") },
	"status":   func(x authtest.Exchange) error { return x.(exchange).c.SendStatus(fiber.StatusNoContent) },
	"redirect": func(x authtest.Exchange) error { return x.(exchange).c.Redirect().To("/late") },
	"file":     func(x authtest.Exchange) error { return x.(exchange).c.SendFile("fiberauth.go") },
	"reset": func(x authtest.Exchange) error {
		x.(exchange).c.Response().Reset()
		return nil
	},
	"stream": func(x authtest.Exchange) error { return x.(exchange).c.SendStream(strings.NewReader("late"), 4) },
	"writer": func(x authtest.Exchange) error {
		x.(exchange).c.RequestCtx().SetBodyStreamWriter(func(w *bufio.Writer) {
			_, _ = w.WriteString("late") // the client has disconnected
		})
		return nil
	},
	"hijack-connection": func(x authtest.Exchange) error {
		conn := x.(exchange).c.RequestCtx().Conn()
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate"))
		return conn.Close()
	},
	"hijack-hints": func(x authtest.Exchange) error {
		return x.(exchange).c.SendEarlyHints([]string{"</late>; rel=preload"})
	},
	"hijack-end": func(x authtest.Exchange) error {
		_ = x.(exchange).c.SendString("late")
		return x.(exchange).c.End()
	},
	"hijack": func(x authtest.Exchange) error {
		ctx := x.(exchange).c.RequestCtx()
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(conn net.Conn) {
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate"))
		})
		return nil
	},
}

// longLived are ways to keep a response open after the handler has returned.
var longLived = map[string]func(authtest.Exchange, func(io.Writer)) error{
	"stream": func(x authtest.Exchange, serve func(io.Writer)) error {
		x.(exchange).c.RequestCtx().SetBodyStreamWriter(func(w *bufio.Writer) { serve(flushed{w}) })
		return nil
	},
	"hijack": func(x authtest.Exchange, serve func(io.Writer)) error {
		ctx := x.(exchange).c.RequestCtx()
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(conn net.Conn) { authtest.ServeHijacked(conn, serve) })
		return nil
	},
}

// flushed flushes each write.
type flushed struct{ w *bufio.Writer }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.w.Write(b)
	return n, errors.Join(err, f.w.Flush())
}

func add(root *fiber.App, rt authtest.Route) {
	var router fiber.Router = root
	switch {
	case rt.Mounted:
		sub := fiber.New()
		root.Use(rt.Group, sub)
		router = sub
		for _, m := range mounts.All(rt.GroupGates) {
			router.Use(m)
		}
	case rt.Group != "":
		router = root.Group(rt.Group, anys(mounts.All(rt.GroupGates))...)
	}
	handlers := append(mounts.All(rt.Gates), func(c fiber.Ctx) error { return rt.Handle(exchange{c}) })
	methods := rt.Methods
	if methods == nil {
		methods = root.Config().RequestMethods
	}
	for _, method := range methods {
		handle(router, method, rt.Pattern, handlers...)
	}
}

// handle adds a route for one method.
func handle(to fiber.Router, method, pattern string, handlers ...fiber.Handler) {
	to.Add([]string{method}, pattern, handlers[0], anys(handlers[1:])...)
}

// anys are handlers as Fiber takes them.
func anys(handlers []fiber.Handler) (all []any) {
	for _, h := range handlers {
		all = append(all, h)
	}
	return all
}

type exchange struct{ c fiber.Ctx }

func (x exchange) Context() context.Context       { return x.c.Context() }
func (x exchange) SetContext(ctx context.Context) { x.c.SetContext(ctx) }
func (x exchange) Principal() *core.Principal     { return fiberauth.Principal(x.c) }
func (x exchange) SetHeader(name, value string)   { x.c.Set(name, value) }
func (x exchange) AddHeader(name, value string)   { x.c.Response().Header.Add(name, value) }

func (x exchange) Param(name string) string { return x.c.Params(name) }

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return fiberauth.Check(x.c, g, rules...)
}

func (x exchange) Request() core.Request { return fiberauth.Request(x.c) }

func (x exchange) AddFields(fields ...core.Field) { fiberauth.AddFields(x.c, fields...) }

func (x exchange) Serve(e core.Endpoint) error { return fiberauth.Serve(e)(x.c) }

func (x exchange) Text(status int, body string) error { return x.c.Status(status).SendString(body) }

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, framework()) }

func FuzzPathsUnescaped(f *testing.F) { authtest.FuzzPaths(f, with(fiber.Config{UnescapePath: true})) }
