package ginauth_test

import (
	"context"
	"net"
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

func framework() authtest.Framework {
	gin.SetMode(gin.TestMode)
	return authtest.Framework{Name: "gin", Serve: serve}
}

func serve(t testing.TB, l net.Listener, app authtest.App) {
	mounts := authtest.Mounts[gin.HandlerFunc]{
		Authenticate: ginauth.Authenticate, Optional: ginauth.Optional,
		Authorize: ginauth.Authorize, Require: ginauth.Require,
	}
	engine := gin.New()
	engine.Use(mounts.All(app.Use)...)
	for _, rt := range app.Routes {
		router := engine.Group(rt.Group, mounts.All(rt.GroupGates)...)
		handlers := append(mounts.All(rt.Gates), func(c *gin.Context) {
			_ = rt.Handler(exchange{c}) // the answer is written
		})
		pattern := strings.Replace(rt.Pattern, "/*", "/*rest", 1)
		if rt.Methods == nil {
			router.Any(pattern, handlers...)
		} else {
			router.Match(rt.Methods, pattern, handlers...)
		}
	}
	authtest.ServeHTTP(t, l, engine)
}

type exchange struct{ c *gin.Context }

func (x exchange) Context() context.Context     { return x.c.Request.Context() }
func (x exchange) Principal() *core.Principal   { return ginauth.Principal(x.c) }
func (x exchange) SetHeader(name, value string) { x.c.Header(name, value) }

func (x exchange) Check(g *core.Guard, rules ...core.Authorizer) error {
	return ginauth.Check(x.c, g, rules...)
}

func (x exchange) Text(status int, body string) error {
	x.c.String(status, "%s", body)
	return nil
}
