package ownrouter_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/core/httpauth"
	trail "github.com/sallyport-go/sallyport/examples/checks/ownrouter"
)

func TestConformance(t *testing.T) {
	authtest.Run(t, authtest.Framework{
		Name: "trail", Package: "httpauth", Serve: serve, Writers: writers, LongLived: longLived,
		Native: func(h authtest.Handler) any {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_ = h(exchange{&trail.Context{Writer: w, Request: r}}) // the answer is written
			})
		},
		Pattern: func(pattern string) string {
			return strings.ReplaceAll(pattern, ":id", "{id}")
		},
		// It matches segments decoded, without folding or cleaning a path.
		Spellings: map[string]int{"/admin/7/": 404},
	})
}

var mounts = authtest.Mounts[trail.Middleware]{
	Authenticate: trail.Authenticate, Optional: trail.Optional,
	Authorize: trail.Authorize, Require: trail.Require,
}

func serve(t testing.TB, l net.Listener, app authtest.App) {
	root := new(trail.Trail)
	for _, after := range slices.Backward(app.After) {
		root.Use(func(next trail.Handler) trail.Handler {
			return func(c *trail.Context) {
				next(c)
				_ = after(exchange{c}) // what it wrote stands
			}
		})
	}
	for _, before := range app.Before {
		root.Use(func(next trail.Handler) trail.Handler {
			return func(c *trail.Context) {
				_ = before(exchange{c}) // what it wrote stands
				next(c)
			}
		})
	}
	root.Use(mounts.All(app.Use)...)
	for _, tree := range app.Trees {
		h := tree.Handler
		if tree.Dir != "" {
			h = http.StripPrefix(tree.Prefix, http.FileServer(http.Dir(tree.Dir)))
		}
		root.Handle(nil, tree.Prefix+"/*", func(c *trail.Context) { h.ServeHTTP(c.Writer, c.Request) }, mounts.All(tree.Gates)...)
	}
	for _, rt := range app.Routes {
		handler := func(c *trail.Context) { _ = rt.Handle(exchange{c}) } // the answer is written
		root.Handle(rt.Methods, rt.Group+rt.Pattern, handler, mounts.All(slices.Concat(rt.GroupGates, rt.Gates))...)
	}
	if h, ok := app.NotFound.(http.Handler); ok {
		root.NotFound = func(c *trail.Context) { h.ServeHTTP(c.Writer, c.Request) }
	}
	authtest.ServeHTTP(t, l, root)
}

var writers = map[string]authtest.Handler{
	"stream": func(x authtest.Exchange) error { return authtest.WriteStream(x.(exchange).c.Writer) },
	"file": func(x authtest.Exchange) error {
		return authtest.WriteFile(x.(exchange).c.Writer, x.(exchange).c.Request)
	},
	"hijack": func(x authtest.Exchange) error { return authtest.WriteHijacked(x.(exchange).c.Writer) },
	"redirect": func(x authtest.Exchange) error {
		http.Redirect(x.(exchange).c.Writer, x.(exchange).c.Request, "/late", http.StatusFound)
		return nil
	},
}

// longLived are ways to go on answering.
var longLived = map[string]func(authtest.Exchange, func(io.Writer)) error{
	"stream": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepStreaming(x.(exchange).c.Writer, serve)
	},
	"hijack": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepHijacked(x.(exchange).c.Writer, serve)
	},
}

type exchange struct{ c *trail.Context }

func (x exchange) Context() context.Context       { return x.c.Request.Context() }
func (x exchange) SetContext(ctx context.Context) { x.c.Request = x.c.Request.WithContext(ctx) }
func (x exchange) Principal() *core.Principal     { return trail.Principal(x.c) }
func (x exchange) SetHeader(name, value string)   { x.c.Writer.Header().Set(name, value) }
func (x exchange) AddHeader(name, value string)   { x.c.Writer.Header().Add(name, value) }

func (x exchange) Param(name string) string { return x.c.Params[name] }

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return trail.Check(x.c, g, rules...)
}

func (x exchange) Request() core.Request { return trail.Request(x.c) }

func (x exchange) AddFields(fields ...core.Field) {
	httpauth.AddFields(x.c.Writer.Header(), fields...)
}

func (x exchange) Serve(e core.Endpoint) error {
	trail.Serve(e)(x.c)
	return nil
}

func (x exchange) Text(status int, body string) error {
	x.c.Writer.WriteHeader(status)
	_, err := io.Copy(x.c.Writer, strings.NewReader(body))
	return err
}
