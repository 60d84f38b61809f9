package adapter

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// View is the view of an [http.Request] for the gates. It is a single pointer, so
// that it converts to a [core.Request] without allocating. Views of frameworks on
// net/http requests differ only in Route and Param.
type View struct{ Request *http.Request }

var _ core.BodyReader = View{}

// Method implements [core.Request].
func (v View) Method() string { return v.Request.Method }

// Target implements [core.Request].
func (v View) Target() string { return v.Request.RequestURI }

// Host implements [core.Request].
func (v View) Host() string { return v.Request.Host }

// Route implements [core.Request] with the pattern of a ServeMux, or of another
// router that sets [http.Request.Pattern], such as chi.
//
// If a pattern names a method, it is that of the handler that runs, even if a
// middleware has changed the request's method. A pattern for a whole subtree does
// not count: behind it there may be another router, whose pattern is not known yet.
func (v View) Route() (core.Route, error) {
	method, pattern := splitPattern(v.Request.Pattern)
	if method != "" && method != v.Request.Method && (method != http.MethodGet || v.Request.Method != http.MethodHead) {
		return core.Route{}, fmt.Errorf("%w: the method was changed after pattern %q matched", core.ErrAmbiguousPath, v.Request.Pattern)
	}
	if isSubtree(pattern) {
		rt, err := v.Matched("")
		switch {
		case err != nil:
			return rt, err
		case pattern[len(pattern)-1] == '/':
			err = v.compareFront(&rt, pattern)
			return rt, err
		}
		return v.compareRest(rt, pattern)
	}
	rt, err := v.Matched(pattern)
	if err == nil && pattern != "" {
		err = v.compare(&rt)
	}
	if err == nil && rt.Escaped && EncodedSlashes(rt.Path) > 0 {
		rt.InnerSlashes = v.innerSlashes(pattern)
	}
	return rt, err
}

// Matched returns the route of a request that a router has matched to pattern, ""
// for none. Path and escaped path of the URL must agree, whatever has rewritten
// them.
func (v View) Matched(pattern string) (core.Route, error) {
	u := v.Request.URL
	rt := core.Route{Pattern: pattern, Path: u.Path}
	if u.RawPath != "" {
		if p, err := url.PathUnescape(u.RawPath); err != nil || p != u.Path {
			return core.Route{}, core.ErrAmbiguousPath
		}
		rt.Path, rt.Escaped = u.RawPath, true
	}
	if len(v.Request.RequestURI) > longTarget {
		rt.Path = strings.Clone(rt.Path)
	}
	return rt, nil
}

// longTarget is the length in bytes of a request target above which its path is copied:
// net/http's is a part of the request line, and observers that keep the path must not
// keep a query of a megabyte with it.
const longTarget = 4 << 10

// Param implements [core.Request] with the wildcards of a ServeMux, or of a router
// that sets path values and may leave them encoded, such as chi.
func (v View) Param(name string) string {
	return Param(v.Request.PathValue(name))
}

// Header implements [core.Request].
func (v View) Header(name string) (string, int) {
	values := v.Request.Header[name]
	if len(values) == 0 {
		switch name {
		case "Authorization", "X-Request-Id", "Traceparent", "Origin", "Accept", "Sec-Fetch-Mode", "Sec-Fetch-Dest":
			return "", 0 // asked of many requests, and canonical
		}
		if values = v.Request.Header[http.CanonicalHeaderKey(name)]; len(values) == 0 {
			return "", 0
		}
	}
	return values[0], len(values)
}

// Cookie implements [core.Request]. It counts cookies that net/http leaves out for a
// byte in their value, too. One without "=" has no name (RFC 6265bis §5.6).
func (v View) Cookie(name string) (value string, count int) {
	for _, line := range v.Request.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			key, val, ok := strings.Cut(pair, "=")
			if !ok || strings.Trim(key, " \t") != name {
				continue
			}
			if count++; count == 1 {
				value = unquoted(strings.Trim(val, " "))
			}
		}
	}
	return value, count
}

// unquoted returns a cookie's value without quotes around it (RFC 6265 §4.1.1).
func unquoted(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// Query implements [core.Request].
func (v View) Query(name string) (value string, count int) {
	return Query(v.Request.URL.RawQuery, name)
}

// Query returns the first value of a parameter in a query, and how many there are, for
// [core.Request]. It counts those that net/url leaves out for a semicolon or a bad
// escape, too; what cannot be decoded is returned as sent.
func Query(query, name string) (value string, count int) {
	for pair := range strings.SplitSeq(query, "&") {
		key, val, _ := strings.Cut(pair, "=")
		if pair == "" || queryText(key) != name {
			continue
		}
		if count++; count == 1 {
			value = queryText(val)
		}
	}
	return value, count
}

func queryText(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// TLS implements [core.Request].
func (v View) TLS() *tls.ConnectionState { return v.Request.TLS }

// RemoteAddr implements [core.Request].
func (v View) RemoteAddr() string { return v.Request.RemoteAddr }

// Body implements [core.BodyReader]. A form that a middleware has already parsed is
// encoded again.
func (v View) Body() io.Reader {
	r := v.Request
	switch {
	case len(r.PostForm) > 0 && r.MultipartForm == nil:
		return strings.NewReader(r.PostForm.Encode())
	case r.Body == nil:
		return http.NoBody
	}
	return r.Body
}

// WithContext returns r with ctx, and r itself if it already has ctx.
func WithContext(r *http.Request, ctx context.Context) *http.Request {
	if SameContext(r.Context(), ctx) {
		return r
	}
	return r.WithContext(ctx)
}

// SameContext reports whether a and b are equal. Contexts of a type for which == panics
// never are.
func SameContext(a, b context.Context) (same bool) {
	defer func() { _ = recover() }() // asking package reflect beforehand would cost an allocation
	return a == b
}
