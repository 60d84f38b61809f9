package adapter

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/canonical"
)

// CanonicalPath returns the path that policies see for a matched route: decoded
// once, without a trailing slash.
//
// It returns an error that wraps [core.ErrAmbiguousPath] and says why for a path
// that two parties could read in two ways: no leading slash, an empty or dot
// segment, an encoded slash or any backslash, a bad or double percent-encoding, a
// control character, invalid UTF-8, or a raw "#" or "?" (RFC 3986 §3.3, §6.2.2; the
// request target of RFC 9112 §3.2 has no fragment).
//
// A plain path is returned unchanged, without allocating.
func CanonicalPath(rt core.Route) (string, error) { return canonical.Path(rt.Path, rt.Escaped, 0) }

// CanonicalPathWithSlashes is [CanonicalPath] for guards with
// [core.WithEncodedSlashes]: encoded slashes are kept, as "%2F", if rt is escaped
// and its InnerSlashes says that all of them are inside parameters.
func CanonicalPathWithSlashes(rt core.Route) (string, error) {
	return canonical.Path(rt.Path, rt.Escaped, rt.InnerSlashes)
}

// CutAtStar adds an alternative to rt, the route of pattern, if a star after part
// of a segment has matched, as in "/files*": a file server there serves the file
// "x" for "/filesx" as well as for "/files/x". path is rt.Path, decoded. It must
// end in rest, which the star has matched, or it is ambiguous.
func CutAtStar(rt core.Route, pattern, path, rest string) (core.Route, error) {
	star := strings.IndexByte(pattern, '*')
	if star < 1 || pattern[star-1] == '/' || rest == "" || rest[0] == '/' {
		return rt, nil
	}
	before, ok := strings.CutSuffix(path, rest)
	if !ok {
		return core.Route{}, fmt.Errorf("%w: it does not end in what route %q matched", core.ErrAmbiguousPath, pattern)
	}
	below := rt
	below.Path, below.Escaped = before+"/"+rest, rt.Escaped && path == rt.Path
	rt.Alternatives = append(rt.Alternatives, below)
	return rt, nil
}

// Param decodes a path parameter for [core.Request.Param], which a router may have
// left encoded. A parameter that the router has decoded has no encoding left, or
// its path would be refused.
func Param(value string) string {
	if strings.IndexByte(value, '%') >= 0 {
		if decoded, err := url.PathUnescape(value); err == nil {
			return decoded
		}
	}
	return value
}

// EncodedSlashes returns the number of encoded slashes in an escaped path or
// parameter, in either letter case.
func EncodedSlashes(escaped string) int { return canonical.EncodedSlashes(escaped) }

// InnerSlashes returns the number of slashes in a single-segment parameter, whether
// the router has decoded it or not, for [core.Route.InnerSlashes].
func InnerSlashes(value string) int { return EncodedSlashes(value) + strings.Count(value, "/") }
