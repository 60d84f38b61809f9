package ginauth_test

import (
	"context"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/authtest"
	"github.com/sallyport-go/sallyport/ginauth"
)

func TestConformance(t *testing.T) {
	authtest.Run(t, framework())
}

// routerStatuses are the router's own answers to unusual targets.
var routerStatuses = map[string]int{
	"/files%2Fsecret": 400,
	"/admin/7/":       301,
	"/admin/":         301,
}

func framework() authtest.Framework {
	gin.SetMode(gin.TestMode)
	return authtest.Framework{Name: "gin", Package: "ginauth", Spellings: routerStatuses, RoutesDecoded: true, SeesSent: true, SealsInFront: true, HTTP2: true, Writers: writers, LongLived: longLived, Form: form, Native: native, Serve: func(t testing.TB, l net.Listener, app authtest.App) {
		serve(t, l, app, gin.New())
	}}
}

// TestPathsWithOptions: no option of the router makes a rule avoidable.
func TestPathsWithOptions(t *testing.T) {
	gin.SetMode(gin.TestMode)
	for name, set := range map[string]func(*gin.Engine){
		"raw path":           func(e *gin.Engine) { e.UseRawPath = true },
		"raw, not unescaped": func(e *gin.Engine) { e.UseRawPath, e.UnescapePathValues = true, false },
		"escaped path":       func(e *gin.Engine) { e.UseEscapedPath = true },
		"extra slashes":      func(e *gin.Engine) { e.RemoveExtraSlash = true },
		"fixed path":         func(e *gin.Engine) { e.RedirectFixedPath = true },
		"no redirects":       func(e *gin.Engine) { e.RedirectTrailingSlash = false },
		"405":                func(e *gin.Engine) { e.HandleMethodNotAllowed = true },
	} {
		t.Run(name, func(t *testing.T) {
			decoded := new(gin.Engine)
			set(decoded)
			authtest.RunPaths(t, authtest.Framework{Name: "gin", Package: "ginauth", RoutesDecoded: !decoded.UseRawPath && !decoded.UseEscapedPath, Serve: func(t testing.TB, l net.Listener, app authtest.App) {
				engine := gin.New()
				set(engine)
				serve(t, l, app, engine)
			}})
		})
	}
}

func serve(t testing.TB, l net.Listener, app authtest.App, engine *gin.Engine) {
	mounts := authtest.Mounts[gin.HandlerFunc]{
		Authenticate: ginauth.Authenticate, Optional: ginauth.Optional,
		Authorize: ginauth.Authorize, Require: ginauth.Require,
	}
	for _, after := range slices.Backward(app.After) {
		engine.Use(func(c *gin.Context) {
			c.Next()
			_ = after(exchange{c}) // what it wrote stands
		})
	}
	for _, before := range app.Before {
		engine.Use(func(c *gin.Context) { _ = before(exchange{c}) }) // what it wrote stands
	}
	engine.Use(mounts.All(app.Use)...)
	for _, tree := range app.Trees {
		group := engine.Group(tree.Prefix, mounts.All(tree.Gates)...)
		if tree.Dir != "" {
			group.Static("/", tree.Dir)
		} else {
			group.Any("/*rest", gin.WrapH(tree.Handler))
		}
	}
	for _, rt := range app.Routes {
		router := engine.Group(rt.Group, mounts.All(rt.GroupGates)...)
		handlers := append(mounts.All(rt.Gates), func(c *gin.Context) {
			_ = rt.Handle(exchange{c}) // the answer is written
		})
		pattern := strings.Replace(rt.Pattern, "/*", "/*rest", 1)
		if rt.Methods == nil {
			router.Any(pattern, handlers...)
		} else {
			router.Match(rt.Methods, pattern, handlers...)
		}
	}
	if h, ok := app.NotFound.(gin.HandlerFunc); ok {
		engine.NoRoute(h)
	}
	authtest.ServeHTTP(t, l, engine)
}

// writers are Gin's ways to answer.
var writers = map[string]authtest.Handler{
	"flush": func(x authtest.Exchange) error { return authtest.WriteStream(x.(exchange).c.Writer) },
	"file": func(x authtest.Exchange) error {
		return authtest.WriteFile(x.(exchange).c.Writer, x.(exchange).c.Request)
	},
	"hijack": func(x authtest.Exchange) error { return authtest.WriteHijacked(x.(exchange).c.Writer) },
	"json": func(x authtest.Exchange) error {
		x.(exchange).c.JSON(http.StatusOK, gin.H{"late": true})
		return nil
	},
	"abort": func(x authtest.Exchange) error {
		x.(exchange).c.AbortWithStatus(http.StatusAccepted)
		return nil
	},
	"redirect": func(x authtest.Exchange) error {
		x.(exchange).c.Redirect(http.StatusFound, "/late")
		return nil
	},
	"stream": func(x authtest.Exchange) error {
		n := 0
		x.(exchange).c.Stream(func(w io.Writer) bool {
			n++
			_, err := io.WriteString(w, "late")
			return err == nil && n < 3
		})
		return nil
	},
}

func form(x authtest.Exchange) (*multipart.Form, error) {
	return authtest.ParseForm(x.(exchange).c.Request)
}

// longLived are ways to keep a response open.
var longLived = map[string]func(authtest.Exchange, func(io.Writer)) error{
	"stream": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepStreaming(x.(exchange).c.Writer, serve)
	},
	"hijack": func(x authtest.Exchange, serve func(io.Writer)) error {
		return authtest.KeepHijacked(x.(exchange).c.Writer, serve)
	},
}

func native(h authtest.Handler) any {
	return gin.HandlerFunc(func(c *gin.Context) { _ = h(exchange{c}) }) // the answer is written
}

type exchange struct{ c *gin.Context }

func (x exchange) Context() context.Context       { return x.c.Request.Context() }
func (x exchange) SetContext(ctx context.Context) { x.c.Request = x.c.Request.WithContext(ctx) }
func (x exchange) Principal() *core.Principal     { return ginauth.Principal(x.c) }
func (x exchange) SetHeader(name, value string)   { x.c.Header(name, value) }
func (x exchange) AddHeader(name, value string)   { x.c.Writer.Header().Add(name, value) }

func (x exchange) Param(name string) string {
	if name == "*" {
		return strings.TrimPrefix(x.c.Param("rest"), "/")
	}
	return x.c.Param(name)
}

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return ginauth.Check(x.c, g, rules...)
}

func (x exchange) Request() core.Request { return ginauth.Request(x.c) }

func (x exchange) AddFields(fields ...core.Field) { ginauth.AddFields(x.c, fields...) }

func (x exchange) Serve(e core.Endpoint) error {
	ginauth.Serve(e)(x.c)
	return nil
}

func (x exchange) Text(status int, body string) error {
	x.c.String(status, "%s", body)
	return nil
}

func FuzzPaths(f *testing.F) { authtest.FuzzPaths(f, framework()) }

func FuzzPathsRaw(f *testing.F) {
	gin.SetMode(gin.TestMode)
	authtest.FuzzPaths(f, authtest.Framework{Name: "gin", Package: "ginauth", Serve: func(t testing.TB, l net.Listener, app authtest.App) {
		engine := gin.New()
		engine.UseRawPath, engine.RemoveExtraSlash = true, true
		serve(t, l, app, engine)
	}})
}
