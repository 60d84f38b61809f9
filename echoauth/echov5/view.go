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

// view shows Echo's request to the gates: net/http's with Echo's route.
type view struct {
	adapter.View
	c       *echo.Context
	matched string // the method of c's route, which Echo copies with all of it each time
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

// gated is a view for a mounted gate.
type gated struct{ *view }

// Room is what [core.Room] says.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// Method implements [core.Request] with the method that Echo has matched, should
// a middleware have changed that of the request since. A handler for any method
// looks at the request.
func (v *view) Method() string {
	if v.matched == "" {
		v.matched = v.c.RouteInfo().Method
	}
	method := v.Request.Method
	switch v.matched {
	case method, "", echo.RouteAny, echo.RouteNotFound:
		return method
	case http.MethodGet: // HEAD as well, with AutoHandleHEAD
		if method == http.MethodHead {
			return method
		}
	}
	return v.matched
}

// Route implements [core.Request]. What is judged is what the handler is given:
// the pattern and its parameters must make up the path, decoded or as it was
// sent. Which of them Echo matches, and whether it decodes parameters then, is
// up to its router's configuration, which does not show.
func (v *view) Route() (core.Route, error) {
	pattern, u := v.c.Path(), v.Request.URL
	rt, err := v.Matched(pattern)
	switch {
	case err != nil:
		return rt, err
	case pattern == "": // in Pre, which is told what will be found
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
	case rt.Escaped && v.makesUp(pattern, u.RawPath):
		// Echo lets the last parameter of a route run over plain slashes, so only
		// encoded ones count. Where parameters are decoded, none can be told from
		// a plain one.
		for _, p := range v.c.PathValues() {
			if p.Name != "*" {
				rt.InnerSlashes += adapter.EncodedSlashes(p.Value)
			}
		}
		return adapter.CutAtStar(rt, pattern, u.RawPath, v.c.Param("*"))
	case v.makesUp(pattern, u.Path):
		if strings.IndexByte(pattern, '*') < 0 {
			return rt, nil
		}
		return adapter.CutAtStar(rt, pattern, u.Path, v.c.Param("*"))
	}
	switch info := v.c.RouteInfo(); info.Name {
	case echo.NotFoundRouteName, echo.MethodNotAllowedRouteName: // nothing has been matched
		return rt, nil
	default:
		return core.Route{}, fmt.Errorf("%w: it is not what route %q and its parameters make up", core.ErrAmbiguousPath, pattern)
	}
}

// makesUp reports whether path is pattern with the parameters filled in, a slash
// at the end aside.
func (v *view) makesUp(pattern, path string) bool {
	if strings.IndexByte(pattern, '\\') >= 0 { // rare: Echo itself knows where the names end
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
		if pattern[at] == '*' { // what follows means nothing to Echo
			return path == "" || path == "/"
		}
		_, after, more := strings.Cut(pattern[at:], "/")
		if pattern = ""; more {
			pattern = "/" + after
		}
	}
	return strings.TrimSuffix(path, "/") == strings.TrimSuffix(pattern, "/") && !strings.ContainsAny(pattern, ":*")
}

// filledIn is pattern with the parameters filled in by Echo.
func (v *view) filledIn(pattern string) string {
	values := v.c.PathValues()
	all := make([]any, len(values))
	for i, p := range values {
		all[i] = p.Value
	}
	return echo.RouteInfo{Path: pattern}.Reverse(all...)
}

// Param implements [core.Request]. Where Echo has matched the escaped path and
// left its parameters as they are, it is decoded.
func (v *view) Param(name string) string {
	p := v.c.Param(name)
	if v.Request.URL.RawPath != "" && v.makesUp(v.c.Path(), v.Request.URL.RawPath) {
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
