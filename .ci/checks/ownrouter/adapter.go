package ownrouter

import (
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/httpauth"
)

// Authenticate mounts gate one: 401 without a usable identity.
func Authenticate(g *core.Guard) Middleware { return adapt(httpauth.Authenticate(g)) }

// Optional is gate one that lets requests without credentials pass.
func Optional(g *core.Guard, opts ...core.GateOption) Middleware {
	return adapt(httpauth.Optional(g, opts...))
}

// Authorize mounts gate two with the guard's authorizer.
func Authorize(g *core.Guard, opts ...core.GateOption) Middleware {
	return adapt(httpauth.Authorize(g, opts...))
}

// Require mounts gate two with rules, all of which must allow.
func Require(g *core.Guard, rules ...core.Authorizer) Middleware {
	return adapt(httpauth.Require(g, rules...))
}

// Principal is who passed gate one, or nil for an anonymous request.
func Principal(c *Context) *core.Principal { return httpauth.Principal(c.Request) }

// Check asks rules from inside a handler. On a refusal it has answered.
func Check(c *Context, g *core.Guard, rules ...core.Authorizer) error {
	return httpauth.Check(c.Writer, matched(c), g, rules...)
}

// Request shows the request to code that knows no framework.
func Request(c *Context) core.Request { return httpauth.Request(matched(c)) }

// Serve mounts an endpoint, such as a metadata document.
func Serve(e core.Endpoint) Handler {
	h := httpauth.Serve(e)
	return func(c *Context) { h.ServeHTTP(c.Writer, matched(c)) }
}

// Routes lists the app's routes, for checks of a policy against them.
func Routes(t *Trail) []core.RouteInfo {
	var routes []core.RouteInfo
	for _, rt := range t.routes {
		for _, method := range rt.methods {
			routes = append(routes, core.RouteInfo{Method: method, Pattern: muxPattern(rt.pattern)})
		}
	}
	return routes
}

// adapt makes a middleware of trail out of one of net/http.
func adapt(m httpauth.Middleware) Middleware {
	return func(next Handler) Handler {
		return func(c *Context) {
			before := *c
			defer func() { *c = before }() // for what stands in front of the gate
			m(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.Writer, c.Request = w, r
				next(c)
			})).ServeHTTP(c.Writer, matched(c))
		}
	}
}

// matched is the request of c, which says what trail has matched as a ServeMux
// would.
func matched(c *Context) *http.Request {
	c.Request.Pattern = muxPattern(c.Route)
	for name, value := range c.Params {
		c.Request.SetPathValue(name, value)
	}
	return c.Request
}

// muxPattern writes "/a/:id" as "/a/{id}".
func muxPattern(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if name, ok := strings.CutPrefix(s, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}
