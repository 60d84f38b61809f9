package echoauth_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/echoauth"
)

func TestConformance(t *testing.T) {
	authtest.Run(t, framework())
}

func framework() authtest.Framework {
	return authtest.Framework{Name: "echo", SeesSent: true, Serve: serve, NativeCode: func(err error) (int, bool) {
		var native *echo.HTTPError
		if !errors.As(err, &native) {
			return 0, false
		}
		return native.Code, true
	}}
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
	for _, before := range app.Before {
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				_ = before(exchange{c}) // what it wrote stands
				return next(c)
			}
		})
	}
	e.Use(mounts.All(app.Use)...)
	for _, rt := range app.Routes {
		router := e.Group(rt.Group, mounts.All(rt.GroupGates)...)
		handler := func(c echo.Context) error { return rt.Handler(exchange{c}) }
		if rt.Methods == nil {
			router.Any(rt.Pattern, handler, mounts.All(rt.Gates)...)
		} else {
			router.Match(rt.Methods, rt.Pattern, handler, mounts.All(rt.Gates)...)
		}
	}
	authtest.ServeHTTP(t, l, e)
}

type exchange struct{ c echo.Context }

func (x exchange) Context() context.Context     { return x.c.Request().Context() }
func (x exchange) Principal() *core.Principal   { return echoauth.Principal(x.c) }
func (x exchange) SetHeader(name, value string) { x.c.Response().Header().Set(name, value) }
func (x exchange) AddHeader(name, value string) { x.c.Response().Header().Add(name, value) }

func (x exchange) Param(name string) string { return x.c.Param(name) }

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return echoauth.Check(x.c, g, rules...)
}

func (x exchange) Text(status int, body string) error { return x.c.String(status, body) }

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, framework()) }
