package core

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/canonical"
	"github.com/sallyport-go/sallyport/core/option"
)

var errPathTooLong = errors.New("the path is too long")

// locate fills in the resource that r is for, and returns the others that it may be
// for.
func (t *Gate) locate(r Request, res *Resource) (others []Resource, err error) {
	rt, err := r.Route()
	if err != nil {
		return nil, err
	}
	if err := t.resource(&rt, res); err != nil {
		return nil, err
	}
	for i := range rt.Alternatives {
		var other Resource
		if err := t.resource(&rt.Alternatives[i], &other); err != nil {
			return nil, err
		}
		if other != *res {
			others = append(others, other)
		}
	}
	return others, nil
}

// resource fills in res for rt.
func (t *Gate) resource(rt *Route, res *Resource) (err error) {
	if limit := t.guard.maxPath; len(rt.Path) > limit {
		return fmt.Errorf("%w: %d bytes, and at most %d are allowed", errPathTooLong, len(rt.Path), limit)
	}
	inner := 0
	if t.guard.encodedSlashes {
		inner = rt.InnerSlashes
	}
	if res.Path, err = canonical.Path(rt.Path, rt.Escaped, inner); err == nil {
		res.Route, res.Folded, res.Name = rt.Pattern, folded(rt, res.Path), t.name
	}
	return err
}

// folded converts rt.Folded, which counts bytes of rt.Path, to bytes of the
// canonical path.
func folded(rt *Route, path string) int {
	n := max(0, min(rt.Folded, len(rt.Path)))
	if rt.Escaped && n > 0 {
		n -= 2 * (strings.Count(rt.Path[:n], "%") - canonical.EncodedSlashes(rt.Path[:n]))
	}
	return min(n, len(path))
}

// defaultMaxPath bounds how many bytes of path patterns are matched against.
const defaultMaxPath = 8 << 10

// WithMaxPathSize sets the maximum length in bytes of a request path as sent,
// without the query: 8 KiB by default, at least 1. A longer path is refused with
// 400 before any rule, because the cost of matching a path against patterns grows
// with its length.
func WithMaxPathSize(bytes int) Option {
	return func(g *Guard) error {
		return option.SetUnless(&g.maxPath, bytes, bytes < 1, "max path size %d: must be at least 1 byte", bytes)
	}
}

// WithEncodedSlashes lets a path through if all its encoded slashes are inside
// single-segment path parameters, as in the npm registry's "/@scope%2Fname".
// Policies and rules see such a slash as "%2F" in capitals: a pattern for one
// segment matches the segment, and a rule for "/a/b" does not apply to "/a%2Fb".
// [Request.Param] returns the parameter decoded, as handlers that decode it once
// see it.
//
// By default such a path is refused with 400, because a program that decodes before
// it routes reads another path. So is, even with this option, a path with an
// encoded slash in a literal part of the route or in a parameter that spans several
// segments. Do not use it if the application, or a proxy, decodes before routing.
// The router must match the path as sent: Gin does so with UseRawPath or
// UseEscapedPath, Fiber without UnescapePath, Echo and net/http's ServeMux always.
// If the router does not tell which parameter holds the slash, and in package
// forwardauth, the path is still refused with 400.
//
// To allow encoded slashes for some routes only, give the option to a variant
// ([Guard.With]).
func WithEncodedSlashes() Option { return func(g *Guard) error { return option.On(&g.encodedSlashes) } }
