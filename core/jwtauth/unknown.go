package jwtauth

import (
	"hash/maphash"
	"time"
)

const (
	// refetchBudget is how many fetches unknown keys may cause in
	// [WithRefetchInterval].
	refetchBudget = 5
	// maxSightings is how many kids one generation of [sightings] holds, at 48
	// bytes or so each.
	maxSightings = 4096
	// retryForNone is how long it is at most to the next fetch while no key serves
	// and somebody asks.
	retryForNone = 5 * time.Second
	// maxMisses bounds the doubling of the time between two fetches for one kid.
	maxMisses = 7
)

// budget is a number of fetches that comes back one by one. It is the virtual
// time at which all of it is back.
type budget struct{ full time.Time }

// take takes one fetch out of those that an interval has, and returns how long it
// is until that one may begin: zero while the budget lasts. The fetch is spent in
// either case.
func (b *budget) take(now time.Time, interval time.Duration) time.Duration {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(interval / refetchBudget)
	return max(b.full.Sub(now)-interval, 0)
}

// sighting is what is known of a kid that the set does not hold.
type sighting struct {
	begun  uint64    // how many fetches had begun when it was first seen
	misses int       // how many it has caused since it was found to be missing
	again  time.Time // when it may cause another one
}

// sightings remembers the kids of tokens for which there was no key. Its memory is
// bounded by forgetting the ones not seen for longest, by halves: a kid that was
// forgotten is one that is seen for the first time. They are kept as hashes under
// a secret, since clients choose them.
type sightings struct {
	seed       maphash.Seed
	young, old map[uint64]*sighting
}

func newSightings() sightings {
	return sightings{maphash.MakeSeed(), map[uint64]*sighting{}, nil}
}

// of is the sighting of kid, a new one if there is none.
func (s *sightings) of(kid string, begun uint64, again time.Time) *sighting {
	key := maphash.String(s.seed, kid)
	if one := s.young[key]; one != nil {
		return one
	}
	one := s.old[key]
	if one == nil {
		one = &sighting{begun: begun, again: again}
	}
	if len(s.young) == maxSightings {
		s.young, s.old = make(map[uint64]*sighting, maxSightings), s.young
	}
	s.young[key] = one
	return one
}
