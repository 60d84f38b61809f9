package echoauth

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v5"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// view is Echo's request as the gates see it: that of net/http, with Echo's route.
type view struct {
	adapter.View
	c       *echo.Context
	matched string // the method of c's route, cached because Echo copies the whole route on each access
}

var (
	_ core.BodyReader = (*view)(nil)
	_ core.Detacher   = (*view)(nil)
)

var views adapter.Batch[view]

func newView(c *echo.Context) *view {
	v := views.New()
	v.Request, v.c = c.Request(), c
	return v
}

// gated is the view for a mounted gate.
type gated struct{ *view }

// Room implements the method that [core.Room] describes.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// Method implements [core.Request] and returns the method that Echo has matched, even if a
// middleware has changed the request's method since. A handler for any method uses that of
// the request.
func (v *view) Method() string {
	if v.matched == "" {
		v.matched = v.c.RouteInfo().Method
	}
	method := v.Request.Method
	switch v.matched {
	case method, "", echo.RouteAny, echo.RouteNotFound:
		return method
	case http.MethodGet: // also HEAD, with AutoHandleHEAD
		if method == http.MethodHead {
			return method
		}
	}
	return v.matched
}

// Route implements [core.Request]. Rules must decide on what the handler is given, so the
// pattern filled in with its parameters must be the path, decoded or as sent. Which of the
// two Echo matches, and whether it decodes parameters, depends on the configuration of its
// router, which cannot be read.
func (v *view) Route() (core.Route, error) {
	pattern, u := v.c.Path(), v.Request.URL
	rt, err := v.Matched(pattern)
	switch {
	case err != nil:
		return rt, err
	case pattern == "": // in Pre: the route that will be found
		ahead := view{View: v.View, c: v.c.Echo().NewContext(v.Request, nil)}
		if v.c.Echo().Router().Route(ahead.c); ahead.c.Path() != "" {
			var found core.Route
			found, err = ahead.Route()
			rt.Alternatives = found.Alternatives
		}
		for i := range rt.Alternatives {
			rt.Alternatives[i].Pattern = ""
		}
		return rt, err
	case rt.Escaped && v.matchesRoute(pattern, u.RawPath):
		// Echo lets the last parameter of a route match literal slashes, so only encoded
		// ones count. If parameters are decoded, the two cannot be told apart.
		for _, p := range v.c.PathValues() {
			if p.Name != "*" {
				rt.InnerSlashes += adapter.EncodedSlashes(p.Value)
			}
		}
		return adapter.CutAtStar(rt, pattern, u.RawPath, v.c.Param("*"))
	case v.matchesRoute(pattern, u.Path):
		if strings.IndexByte(pattern, '*') < 0 {
			return rt, nil
		}
		return adapter.CutAtStar(rt, pattern, u.Path, v.c.Param("*"))
	}
	switch info := v.c.RouteInfo(); info.Name {
	case echo.NotFoundRouteName, echo.MethodNotAllowedRouteName: // no route was matched
		return rt, nil
	default:
		return core.Route{}, fmt.Errorf("%w: it is not route %q with its parameters filled in", core.ErrAmbiguousPath, pattern)
	}
}

// matchesRoute reports whether path is pattern with its parameters filled in, ignoring a
// trailing slash.
func (v *view) matchesRoute(pattern, path string) bool {
	if strings.IndexByte(pattern, '\\') >= 0 { // rare: leave it to Echo where names end
		return strings.TrimSuffix(v.filledIn(pattern), "/") == strings.TrimSuffix(path, "/")
	}
	for _, p := range v.c.PathValues() {
		at := 0
		for at < len(pattern) && pattern[at] != ':' && pattern[at] != '*' {
			if at >= len(path) || path[at] != pattern[at] {
				return false
			}
			at++
		}
		if at == len(pattern) || !strings.HasPrefix(path[at:], p.Value) {
			return false
		}
		path = path[at+len(p.Value):]
		if pattern[at] == '*' { // Echo ignores what follows
			return path == "" || path == "/"
		}
		_, after, more := strings.Cut(pattern[at:], "/")
		if pattern = ""; more {
			pattern = "/" + after
		}
	}
	return strings.TrimSuffix(path, "/") == strings.TrimSuffix(pattern, "/") && !strings.ContainsAny(pattern, ":*")
}

// filledIn returns pattern with the parameters filled in by Echo.
func (v *view) filledIn(pattern string) string {
	values := v.c.PathValues()
	all := make([]any, len(values))
	for i, p := range values {
		all[i] = p.Value
	}
	return echo.RouteInfo{Path: pattern}.Reverse(all...)
}

// Param implements [core.Request]. If Echo has matched the escaped path and left its
// parameters encoded, it decodes them.
func (v *view) Param(name string) string {
	p := v.c.Param(name)
	if v.Request.URL.RawPath != "" && v.matchesRoute(v.c.Path(), v.Request.URL.RawPath) {
		return adapter.Param(p)
	}
	return p
}

// Detach implements [core.Detacher].
func (v *view) Detach() core.Request {
	values := v.c.PathValues()
	names := make([]string, len(values))
	for i, p := range values {
		names[i] = p.Name
	}
	return adapter.Detach(v.Request, adapter.Matches(v, names, false))
}
