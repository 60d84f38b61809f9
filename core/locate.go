package core

import (
	"errors"
	"fmt"
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
	path, err := canonicalPath(*rt, t.guard.encodedSlashes)
	return Resource{Route: rt.Pattern, Path: path, Name: t.name}, err
}
