package core

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core/challenge"
)

// What a standing keeps at most, and how often it tries in vain.
const (
	maxReasons = 64
	maxTries   = 8
)

// standing keeps the denials that are the same for one request after another,
// rendered once: that of a request without credentials and those of policies
// that say nothing in particular.
type standing struct {
	guard *Guard
	// same says that the responder does not look at the request.
	same bool

	nobody atomic.Pointer[nobody]
	tries  atomic.Int32 // how often a nobody was made

	mu      sync.Mutex
	reasons atomic.Pointer[map[Reason]*Denial] // the map is replaced, never written
}

// nobody is the denial of a request without credentials, and the challenges it
// was made of, which show whether it still holds.
type nobody struct {
	denial *Denial
	from   []*challenge.Challenge // the first of each scheme's
}

func newStanding(g *Guard) *standing {
	_, same := g.responder.(defaultResponder)
	s := &standing{guard: g, same: same && len(g.cors) == 0}
	s.reasons.Store(&map[Reason]*Denial{})
	return s
}

// anonymous is the denial for a request without credentials.
func (s *standing) anonymous(r Request) *Denial {
	g := s.guard
	scripted := g.noPrompts && isScripted(r)
	if kept := s.nobody.Load(); kept != nil && !scripted && s.holds(kept, r) {
		return kept.denial
	}
	d := newDenial(Unauthenticated, CodeAuthenticationRequired, ReasonNoCredentials, nil)
	g.challenge(d, r, -1, ErrNoCredentials)
	if !scripted && !g.informs {
		s.keep(d, r)
	}
	return d
}

// keep keeps d for the next requests. A scheme whose challenges are new each
// time, such as one with nonces, shows by the number of tries.
func (s *standing) keep(d *Denial, r Request) {
	if s.tries.Add(1) > maxTries {
		s.tries.Store(maxTries)
		s.nobody.Store(nil)
		return
	}
	if s.same {
		d.answer = s.guard.answer(r, d).keep()
	}
	kept := &nobody{denial: d}
	for i := range s.guard.schemes {
		kept.from = append(kept.from, &s.guard.schemes[i].offer(r, ErrNoCredentials)[0])
	}
	s.nobody.Store(kept)
}

// holds reports whether every scheme challenges r as when kept was made.
func (s *standing) holds(kept *nobody, r Request) bool {
	for i := range s.guard.schemes {
		if &s.guard.schemes[i].offer(r, ErrNoCredentials)[0] != kept.from[i] {
			return false
		}
	}
	return true
}

// forbidden is the denial for a known principal, when reason is all that is
// known.
func (s *standing) forbidden(reason Reason) *Denial {
	if d := (*s.reasons.Load())[reason]; d != nil {
		return d
	}
	d := newDenial(Forbidden, CodeForbidden, reason, nil)
	if s.same {
		d.answer = s.guard.answer(nil, d).keep()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if reasons := *s.reasons.Load(); len(reasons) < maxReasons {
		reasons = maps.Clone(reasons)
		reasons[reason] = d
		s.reasons.Store(&reasons)
	}
	return d
}
