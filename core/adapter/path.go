package adapter

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/canonical"
)

// CanonicalPath is the path that policies see for what a router matched: the
// path decoded once, without a trailing slash.
//
// It returns [core.ErrAmbiguousPath], saying why, for a path that two parties
// could read two ways: no leading slash, an empty or dot segment, an encoded slash
// or any backslash, a bad or double percent-encoding, a control character,
// invalid UTF-8, or a raw "#" or "?" (RFC 3986 §3.3, §6.2.2; the request
// target of RFC 9112 §3.2 has no fragment).
//
// A plain path is returned as it is, without allocation.
func CanonicalPath(rt core.Route) (string, error) { return canonical.Path(rt.Path, rt.Escaped, 0) }

// CanonicalPathWithSlashes is [CanonicalPath] for guards with
// [core.WithEncodedSlashes]: encoded slashes stay, as "%2F", if rt is escaped and
// says by InnerSlashes that all of them are inside parameters.
func CanonicalPathWithSlashes(rt core.Route) (string, error) {
	return canonical.Path(rt.Path, rt.Escaped, rt.InnerSlashes)
}

// CutAtStar adds to rt, the route of pattern, the other way to read a path that a star
// behind a part of a segment has matched, as in "/files*": a file server there gives out
// the file "x" for "/filesx" as for "/files/x". path is what rt.Path is or decodes to.
// It ends in rest, which the star has matched, or is ambiguous.
func CutAtStar(rt core.Route, pattern, path, rest string) (core.Route, error) {
	star := strings.IndexByte(pattern, '*')
	if star < 1 || pattern[star-1] == '/' || rest == "" || rest[0] == '/' {
		return rt, nil
	}
	before, ok := strings.CutSuffix(path, rest)
	if !ok {
		return core.Route{}, fmt.Errorf("%w: it does not end in what route %q has matched", core.ErrAmbiguousPath, pattern)
	}
	below := rt
	below.Path, below.Escaped = before+"/"+rest, rt.Escaped && path == rt.Path
	rt.Alternatives = append(rt.Alternatives, below)
	return rt, nil
}

// Param is a path parameter, decoded once, that a router may have left as it was
// sent: for [core.Request.Param]. One that the router has decoded has no encoding
// left, or its path would be refused.
func Param(value string) string {
	if strings.IndexByte(value, '%') >= 0 {
		if decoded, err := url.PathUnescape(value); err == nil {
			return decoded
		}
	}
	return value
}

// EncodedSlashes is the number of encoded slashes in an escaped path or
// parameter, in either letter case.
func EncodedSlashes(escaped string) int { return canonical.EncodedSlashes(escaped) }

// InnerSlashes is how many slashes a parameter of one segment holds, whether
// the router has decoded it or not: for [core.Route.InnerSlashes].
func InnerSlashes(value string) int { return EncodedSlashes(value) + strings.Count(value, "/") }
