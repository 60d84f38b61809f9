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
