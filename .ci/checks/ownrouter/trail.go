// Package ownrouter is a small web framework, trail, and an adapter for it. It
// is here for its test, which runs the conformance suite on a framework that the
// suite has never seen, by an adapter written as docs/architecture.md says.
package ownrouter

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Context is a request on its way through trail.
type Context struct {
	Writer  http.ResponseWriter
	Request *http.Request
	// Route is the pattern that was matched, "" for none, and Params are the
	// values of its ":name" segments.
	Route  string
	Params map[string]string
}

// Handler handles a request.
type Handler func(*Context)

// Middleware wraps a handler.
type Middleware func(Handler) Handler

// Trail is an app. It finds the route first and then runs the middleware of the
// app, so that those know it.
type Trail struct {
	// NotFound handles paths without a route.
	NotFound Handler

	around []Middleware
	routes []route
}

type route struct {
	methods  []string // nil for all
	pattern  string
	segments []string
	handler  Handler
}

// Use adds middleware around all routes, and around paths without one.
func (t *Trail) Use(m ...Middleware) { t.around = append(t.around, m...) }

// Handle adds a route: ":name" takes one segment, a last "*" what is left.
func (t *Trail) Handle(methods []string, pattern string, h Handler, m ...Middleware) {
	t.routes = append(t.routes, route{methods, pattern, strings.Split(pattern, "/"), chain(h, m)})
}

func chain(h Handler, around []Middleware) Handler {
	for _, m := range slices.Backward(around) {
		h = m(h)
	}
	return h
}

// ServeHTTP implements [http.Handler].
func (t *Trail) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Context{Writer: w, Request: r}
	h := t.NotFound
	if h == nil {
		h = func(c *Context) { http.NotFound(c.Writer, c.Request) }
	}
	for _, rt := range t.routes {
		params, ok := match(rt.segments, strings.Split(r.URL.EscapedPath(), "/"))
		if !ok {
			continue
		}
		if rt.methods != nil && !slices.Contains(rt.methods, r.Method) {
			h = func(c *Context) { c.Writer.WriteHeader(http.StatusMethodNotAllowed) }
			continue
		}
		c.Route, c.Params, h = rt.pattern, params, rt.handler
		break
	}
	chain(h, t.around)(c)
}

// match compares a pattern with a path, segment by segment, each decoded.
func match(pattern, path []string) (params map[string]string, ok bool) {
	params = make(map[string]string)
	for i, want := range pattern {
		if want == "*" {
			rest, err := url.PathUnescape(strings.Join(path[min(i, len(path)):], "/"))
			params["*"] = rest
			return params, err == nil && len(path) > i
		}
		if i >= len(path) {
			return nil, false
		}
		got, err := url.PathUnescape(path[i])
		name, isParam := strings.CutPrefix(want, ":")
		switch {
		case err != nil, !isParam && got != want, isParam && got == "":
			return nil, false
		case isParam:
			params[name] = got
		}
	}
	return params, len(path) == len(pattern)
}
