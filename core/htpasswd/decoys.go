package htpasswd

import (
	"fmt"
	"slices"
)

// maxShapes bounds how many settings of argon2id a file may have, since each
// refused password costs a hash of each.
const maxShapes = 4

// decoys are hashes to spend work on, so that every refusal costs the same:
// what the highest cost of bcrypt in the file costs, and a hash of each setting
// of argon2id in it. They are made of the users' own, so they are as real; what
// they are compared with, and with what result, means nothing.
type decoys struct {
	// ladder has a hash of bcrypt for each cost from lowest to top; both are
	// 0 in a file without bcrypt.
	ladder      [maxCost + 1]*hash
	lowest, top int
	argon2id    []*hash
}

// add takes a user's hash into account, or says why that would be too much.
func (d *decoys) add(h *hash) (problem string) {
	switch {
	case h.bcrypt():
		if d.lowest == 0 || h.cost < d.lowest {
			d.lowest = h.cost
		}
		d.top = max(d.top, h.cost)
		d.ladder[h.cost] = h
	case slices.ContainsFunc(d.argon2id, func(o *hash) bool { return o.shape == h.shape }):
	case len(d.argon2id) == maxShapes:
		return fmt.Sprintf("argon2id with m=%d,t=%d,p=%d is one setting more than the %d a file may have, since a refused password costs a hash of each: make it again with one of the others",
			h.memory, h.passes, h.threads, maxShapes)
	default:
		d.argon2id = append(d.argon2id, h)
	}
	return ""
}

// fill completes the ladder once all hashes are added.
func (d *decoys) fill() {
	for cost := d.lowest; cost < d.top; cost++ {
		d.ladder[cost] = d.ladder[d.top].withCost(cost)
	}
}

// rest are the decoys that remain to be compared after done was, which is nil
// for none.
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
