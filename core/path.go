package core

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/canonical"
)

var errPathTooLong = errors.New("the path is too long")

// locate fills in what r wants to act on and returns what else it may be for.
func (t *Gate) locate(r Request, res *Resource) (others []Resource, err error) {
	rt, err := r.Route()
	if err != nil {
		return nil, err
	}
	if *res, err = t.resource(&rt); err != nil {
		return nil, err
	}
	for i := range rt.Alternatives {
		other, err := t.resource(&rt.Alternatives[i])
		if err != nil {
			return nil, err
		}
		if other != *res {
			others = append(others, other)
		}
	}
	return others, nil
}

func (t *Gate) resource(rt *Route) (Resource, error) {
	if limit := t.guard.maxPath; len(rt.Path) > limit {
		return Resource{}, fmt.Errorf("%w: %d bytes, of which %d are allowed", errPathTooLong, len(rt.Path), limit)
	}
	inner := 0
	if t.guard.encodedSlashes {
		inner = rt.InnerSlashes
	}
	path, err := canonical.Path(rt.Path, rt.Escaped, inner)
	return Resource{Route: rt.Pattern, Path: path, Folded: folded(rt, path), Name: t.name}, err
}

// folded is how many bytes of the canonical path of rt are as many as rt says of
// its own.
func folded(rt *Route, path string) int {
	n := max(0, min(rt.Folded, len(rt.Path)))
	if rt.Escaped {
		n -= 2 * (strings.Count(rt.Path[:n], "%") - canonical.EncodedSlashes(rt.Path[:n]))
	}
	return min(n, len(path))
}

// defaultMaxPath is how many bytes of path a pattern may have to be held
// against, whoever asks.
const defaultMaxPath = 8 << 10

// WithMaxPathSize sets how many bytes a request path may have, as it was sent and
// without query: 8 KiB by default, at least 1. A longer one is 400, before any
// rule: what it costs to hold a path against patterns grows with its length.
func WithMaxPathSize(bytes int) Option {
	return func(g *Guard) error {
		if bytes < 1 {
			return fmt.Errorf("max path size %d: must be at least 1 byte", bytes)
		}
		g.maxPath = bytes
		return nil
	}
}

// WithEncodedSlashes lets a path through whose encoded slashes all stand inside
// path parameters of one segment each, as in the npm registry's
// "/@scope%2Fname". Policies and rules see the slash as it was written, as
// "%2F" in capitals: a pattern for one segment matches such a segment, and a
// rule for "/a/b" has nothing to say of "/a%2Fb". [Request.Param] gives the
// parameter decoded, as handlers that decode it once see it.
//
// By default, and wherever the slash is in a literal part of the route or in a
// parameter that takes several segments, such a path is 400, since a program
// that decodes before it routes reads another path. Give it to no guard whose
// application, or proxy, does. The router must match the path as it was sent:
// Gin does with UseRawPath or UseEscapedPath, Fiber without UnescapePath, Echo
// and net/http's ServeMux always. Where the router does not tell which parameter has the
// slash, and in package forwardauth, such a path remains 400.
//
// To let some routes alone have it, give it to a variant: see [Guard.With].
func WithEncodedSlashes() Option {
	return func(g *Guard) error {
		g.encodedSlashes = true
		return nil
	}
}
