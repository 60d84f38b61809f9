package jwtauth

import (
	"hash/maphash"
	"time"
)

const (
	// refetchBudget is the number of fetches that unknown keys may cause in
	// [WithRefetchInterval].
	refetchBudget = 5
	// maxSightings is the number of kids in one generation of [sightings], at about
	// 48 bytes each.
	maxSightings = 4096
	// retryForNone is the maximum time to the next fetch while there is no usable
	// key and requests ask for one.
	retryForNone = 5 * time.Second
	// maxMisses bounds the doubling of the time between two fetches for one kid.
	maxMisses = 7
)

// budget is a number of fetches that is replenished one by one. It is represented
// by the virtual time at which it is full.
type budget struct{ full time.Time }

// take spends one of an interval's fetches, and returns how long to wait until it
// may begin: zero while the budget lasts.
func (b *budget) take(now time.Time, interval time.Duration) time.Duration {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(interval / refetchBudget)
	return max(b.full.Sub(now)-interval, 0)
}

// sighting is what is known about a kid that is not in the set.
type sighting struct {
	begun  uint64    // number of fetches that had begun when it was first seen
	misses int       // number of fetches it has caused since it was found missing
	again  time.Time // when it may cause another fetch
}

// sightings remembers the kids of tokens for which there was no key. Its memory is
// bounded by forgetting the older half: a forgotten kid counts as new. Kids are
// kept as keyed hashes, since clients choose them.
type sightings struct {
	seed       maphash.Seed
	young, old map[uint64]*sighting
}

func newSightings() sightings {
	return sightings{maphash.MakeSeed(), map[uint64]*sighting{}, nil}
}

// of returns the sighting of kid, a new one if there is none.
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
