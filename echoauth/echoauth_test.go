package echoauth_test

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

func TestConformance(t *testing.T) {
	authtest.Run(t, framework())
}

// routerStatuses are the router's own answers to unusual targets.
var routerStatuses = map[string]int{
	"/%66iles/secret": 404,
}

func framework() authtest.Framework {
	return authtest.Framework{Name: "echo", Package: "echoauth", Spellings: routerStatuses, SeesSent: true, SealsInFront: true, HTTP2: true, Writers: writers, LongLived: longLived, Form: form, Serve: serve, Native: native, NativeCode: func(err error) (int, bool) {
		var native *echo.HTTPError
		if !errors.As(err, &native) {
			return 0, false
		}
		return native.Code, true
	}}
}

// TestErrorHandlerCannotAppend: an error handler that answers every error neither adds to a
// denial nor changes it.
func TestErrorHandlerCannotAppend(t *testing.T) {
	g, err := core.NewGuard([]core.Authenticator{authtest.Names{}},
		core.WithObserver(core.ObserverFunc(func(context.Context, core.Event) {})))
	if err != nil {
		t.Fatal(err)
	}
	answer := func(handler echo.HTTPErrorHandler) *httptest.ResponseRecorder {
		e := echo.New()
		if handler != nil {
			e.HTTPErrorHandler = handler
		}
		e.GET("/", func(c echo.Context) error { return c.String(http.StatusOK, "secret") }, echoauth.Authenticate(g))
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w
	}
	told := 0
	want, got := answer(nil), answer(func(_ error, c echo.Context) {
		told++
		c.Response().Header().Set("X-Late", "1")
		_ = c.JSON(http.StatusTeapot, "own")
		_, _ = c.Response().Write([]byte("own"))
	})
	if told != 1 || want.Code != http.StatusUnauthorized || got.Code != want.Code || got.Body.String() != want.Body.String() {
		t.Errorf("told %d times: %d %q, want %d %q", told, got.Code, got.Body, want.Code, want.Body)
	}
}

func serve(t testing.TB, l net.Listener, app authtest.App) {
	mounts := authtest.Mounts[echo.MiddlewareFunc]{
		Authenticate: echoauth.Authenticate, Optional: echoauth.Optional,
		Authorize: echoauth.Authorize, Require: echoauth.Require,
	}
	e := echo.New()
	if app.Errors != nil {
		e.HTTPErrorHandler = func(err error, c echo.Context) {
			app.Errors(err)
			e.DefaultHTTPErrorHandler(err, c)
		}
	}
	if app.OnError != nil {
		e.HTTPErrorHandler = func(_ error, c echo.Context) { _ = app.OnError(exchange{c}) } // its answer stands
	}
	for _, after := range slices.Backward(app.After) {
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				_ = after(exchange{c}) // what it wrote stands
				return err
			}
		})
	}
	for _, before := range app.Before {
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				_ = before(exchange{c}) // what it wrote stands
				return next(c)
			}
		})
	}
	e.Use(mounts.All(app.Use)...)
	for _, tree := range app.Trees {
		group := e.Group(tree.Prefix, mounts.All(tree.Gates)...)
		if tree.Dir != "" {
			group.Static("/", tree.Dir)
		} else {
			group.Any("/*", echo.WrapHandler(tree.Handler))
		}
	}
	for _, rt := range app.Routes {
		router := e.Group(rt.Group, mounts.All(rt.GroupGates)...)
		handler := func(c echo.Context) error { return rt.Handle(exchange{c}) }
		if rt.Methods == nil {
			router.Any(rt.Pattern, handler, mounts.All(rt.Gates)...)
		} else {
			router.Match(rt.Methods, rt.Pattern, handler, mounts.All(rt.Gates)...)
		}
	}
	if h, ok := app.NotFound.(echo.HandlerFunc); ok {
		e.RouteNotFound("/*", h)
	}
	authtest.ServeHTTP(t, l, e)
}

func form(x authtest.Exchange) (*multipart.Form, error) {
	return authtest.ParseForm(x.(exchange).c.Request())
}

// writers are Echo's ways to answer.
var writers = map[string]authtest.Handler{
	"stream": func(x authtest.Exchange) error { return authtest.WriteStream(x.(exchange).c.Response()) },
	"file": func(x authtest.Exchange) error {
		return authtest.WriteFile(x.(exchange).c.Response(), x.(exchange).c.Request())
	},
	"hijack":    func(x authtest.Exchange) error { return authtest.WriteHijacked(x.(exchange).c.Response()) },
	"json":      func(x authtest.Exchange) error { return x.(exchange).c.JSON(http.StatusOK, "late") },
	"nocontent": func(x authtest.Exchange) error { return x.(exchange).c.NoContent(http.StatusNoContent) },
	"redirect":  func(x authtest.Exchange) error { return x.(exchange).c.Redirect(http.StatusFound, "/late") },
	"reader": func(x authtest.Exchange) error {
		return x.(exchange).c.Stream(http.StatusOK, "text/plain", strings.NewReader("late"))
	},
}

// longLived are ways to keep a response open.
var longLived = map[string]func(authtest.Exchange, func(io.Writer)) error{
	"stream": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepStreaming(x.(exchange).c.Response(), serve)
	},
	"hijack": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepHijacked(x.(exchange).c.Response(), serve)
	},
}

func native(h authtest.Handler) any {
	return echo.HandlerFunc(func(c echo.Context) error { return h(exchange{c}) })
}

type exchange struct{ c echo.Context }

func (x exchange) Context() context.Context       { return x.c.Request().Context() }
func (x exchange) SetContext(ctx context.Context) { x.c.SetRequest(x.c.Request().WithContext(ctx)) }
func (x exchange) Principal() *core.Principal     { return echoauth.Principal(x.c) }
func (x exchange) SetHeader(name, value string)   { x.c.Response().Header().Set(name, value) }
func (x exchange) AddHeader(name, value string)   { x.c.Response().Header().Add(name, value) }

func (x exchange) Param(name string) string { return x.c.Param(name) }

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return echoauth.Check(x.c, g, rules...)
}

func (x exchange) Request() core.Request { return echoauth.Request(x.c) }

func (x exchange) AddFields(fields ...core.Field) { echoauth.AddFields(x.c, fields...) }

func (x exchange) Serve(e core.Endpoint) error { return echoauth.Serve(e)(x.c) }

func (x exchange) Text(status int, body string) error { return x.c.String(status, body) }

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, framework()) }
