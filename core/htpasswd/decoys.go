package htpasswd

import (
	"fmt"
	"slices"
)

// maxShapes is the maximum number of argon2id settings in a file, since each
// refused password costs a hash with each.
const maxShapes = 4

// decoys holds hashes that equalize the work, so that every refusal costs the same:
// the highest bcrypt cost in the file, and a hash for each argon2id setting in it.
// They are derived from the users' own, so that they cost exactly as much; the
// results of comparing with them are ignored.
type decoys struct {
	// ladder has a bcrypt hash for each cost up to top, which is 0 in a file without
	// bcrypt.
	ladder   [maxCost + 1]*hash
	top      int
	argon2id []*hash
}

// add takes a user's hash into account, or returns why that would be too much.
func (d *decoys) add(h *hash) (problem string) {
	switch {
	case h.bcrypt():
		d.top = max(d.top, h.cost)
		d.ladder[h.cost] = h
	case slices.ContainsFunc(d.argon2id, func(o *hash) bool { return o.shape == h.shape }):
	case len(d.argon2id) == maxShapes:
		return fmt.Sprintf("argon2id with m=%d,t=%d,p=%d is one setting too many: a file may have %d, because a refused password costs a hash of each: make it again with one of the others",
			h.memory, h.passes, h.threads, maxShapes)
	default:
		d.argon2id = append(d.argon2id, h)
	}
	return ""
}

// fill completes the ladder once all hashes are added.
func (d *decoys) fill() {
	for cost := range d.top {
		d.ladder[cost] = d.ladder[d.top].withCost(cost)
	}
}

// rest returns the decoys that remain to be compared after done, which may be nil.
func (d *decoys) rest(done *hash) []*hash {
	var rest []*hash
	switch {
	case d.top == 0: // no bcrypt in the file
	case done != nil && done.bcrypt():
		// 2^c rounds are done; 2^c + 2^(c+1) + … + 2^(top-1) more make 2^top.
		rest = append(rest, d.ladder[done.cost:d.top]...)
	default:
		rest = append(rest, d.ladder[d.top])
	}
	for _, h := range d.argon2id {
		if done == nil || h.shape != done.shape {
			rest = append(rest, h)
		}
	}
	return rest
}
