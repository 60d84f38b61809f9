package ginauth

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/adapter"
)

// view is Gin's request as the gates see it: that of net/http, with an extra check of
// unusual paths. It is a single pointer, so that converting it to a [core.Request] does not
// allocate.
type view struct{ c *gin.Context }

var (
	_ core.BodyReader = view{}
	_ core.Detacher   = view{}
)

func newView(c *gin.Context) view { return view{c} }

// gated is the view for a mounted gate.
type gated struct{ view }

// Room implements the method that [core.Room] describes.
func (gated) Room(ctx context.Context) (*core.Room, context.Context) { return adapter.Room(ctx) }

// Route implements [core.Request]. Rules must decide on the bytes that the handler gets, so
// the pattern filled in with its parameters must be the path, decoded or as sent. If Gin
// matches escaped paths, it decodes a plus sign in a parameter to a space, although plus
// has no such meaning in a path (RFC 3986 §2.2).
func (v view) Route() (core.Route, error) {
	u, pattern := v.c.Request.URL, v.c.FullPath()
	if pattern != "" && !matchesRoute(pattern, v.c.Params, u.Path) && !matchesRoute(pattern, v.c.Params, u.EscapedPath()) {
		return core.Route{}, fmt.Errorf("%w: it is not route %q with its parameters filled in", core.ErrAmbiguousPath, pattern)
	}
	rt, err := v.http().Matched(pattern)
	if err == nil && rt.Escaped && adapter.EncodedSlashes(rt.Path) > 0 {
		for _, p := range v.c.Params {
			if !strings.HasSuffix(pattern, "*"+p.Key) {
				rt.InnerSlashes += adapter.InnerSlashes(p.Value)
			}
		}
	}
	return rt, err
}

// matchesRoute reports whether path is pattern with its parameters filled in, ignoring a
// trailing slash.
func matchesRoute(pattern string, params gin.Params, path string) bool {
	for _, p := range params {
		at := parameterAt(pattern, p.Key)
		if at < 0 {
			return false
		}
		literal := unescaped(pattern[:at])
		if pattern[at] == '*' { // the value includes the slash before it
			literal = strings.TrimSuffix(literal, "/")
		}
		if len(path) < len(literal) || path[:len(literal)] != literal || !strings.HasPrefix(path[len(literal):], p.Value) {
			return false
		}
		path, pattern = path[len(literal)+len(p.Value):], pattern[at+1+len(p.Key):]
	}
	return strings.TrimSuffix(path, "/") == strings.TrimSuffix(unescaped(pattern), "/")
}

// unescaped returns a literal part of a pattern as it occurs in paths.
func unescaped(literal string) string {
	if strings.IndexByte(literal, '\\') < 0 {
		return literal // the common case, at a third of the cost
	}
	return strings.ReplaceAll(literal, `\:`, ":")
}

// parameterAt returns the index of the named parameter in a pattern, or -1. A colon may
// also be literal: Gin removes the backslash that escapes it at the first request.
func parameterAt(pattern, name string) int {
	for at := range len(pattern) {
		if pattern[at] != ':' && pattern[at] != '*' || at > 0 && pattern[at-1] == '\\' {
			continue
		}
		if rest, ok := strings.CutPrefix(pattern[at+1:], name); ok && (rest == "" || rest[0] == '/') {
			return at
		}
	}
	return -1
}

// Param implements [core.Request]. With Engine.UnescapePathValues off, Gin leaves
// parameters encoded.
func (v view) Param(name string) string {
	return adapter.Param(v.c.Param(name))
}

// Detach implements [core.Detacher].
func (v view) Detach() core.Request {
	names := make([]string, len(v.c.Params))
	for i, p := range v.c.Params {
		names[i] = p.Key
	}
	return adapter.Detach(v.c.Request, adapter.Matches(v, names, false))
}

// http returns the view that is the same for every net/http request.
func (v view) http() adapter.View { return adapter.View{Request: v.c.Request} }

func (v view) Method() string { return v.c.Request.Method }

func (v view) Target() string { return v.http().Target() }

func (v view) Host() string { return v.http().Host() }

func (v view) Header(name string) (string, int) { return v.http().Header(name) }

func (v view) Cookie(name string) (string, int) { return v.http().Cookie(name) }

func (v view) Query(name string) (string, int) { return v.http().Query(name) }

func (v view) TLS() *tls.ConnectionState { return v.http().TLS() }

func (v view) RemoteAddr() string { return v.http().RemoteAddr() }

func (v view) Body() io.Reader { return v.http().Body() }
