package core

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/problem"
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
	// look is in which look the responder answers; nil if its answers must
	// not be kept.
	look func(Request) int

	nobody atomic.Pointer[nobody]
	tries  atomic.Int32 // how often a nobody was made

	mu      sync.Mutex
	reasons atomic.Pointer[map[Reason]*Denial] // the map is replaced, never written
}

// nobody is the denial of a request without credentials, and the challenges it
// was made of, which show whether it still holds.
type nobody struct {
	denial *Denial
	from   [][]challenge.Challenge // each scheme's
}

// looking is a responder whose answers to one denial in one look are the same,
// so that they may be kept.
type looking interface {
	// Looks returns the responder itself, since one that embeds it has looks of
	// its own, and the look in which it answers a request.
	Looks() (of any, look func(Request) int)
}

// answers are those to one denial, by their looks.
type answers [problem.MaxLooks]atomic.Pointer[Response]

func newStanding(g *Guard) *standing {
	s := &standing{guard: g}
	if l, ok := g.responder.(looking); ok && len(g.cors) == 0 {
		if of, look := l.Looks(); of == any(g.responder) {
			s.look = look
		}
	}
	s.reasons.Store(&map[Reason]*Denial{})
	return s
}

// answer is the answer to d, whose answers are kept.
func (s *standing) answer(r Request, d *Denial) *Response {
	look := s.look(r)
	if look < 0 || look >= len(d.answers) {
		return s.guard.render(r, d)
	}
	if kept := d.answers[look].Load(); kept != nil {
		return kept
	}
	resp := s.guard.render(r, d)
	resp.Fields = slices.Clip(resp.Fields) // whoever appends gets a copy
	for i, f := range resp.Fields {
		if f.shared == nil {
			resp.Fields[i] = sharedField(f.Name, f.Value)
		}
	}
	d.answers[look].Store(resp)
	return resp
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
	if s.look != nil {
		d.answers = new(answers)
	}
	kept := &nobody{denial: d}
	for i := range s.guard.schemes {
		kept.from = append(kept.from, slices.Clone(s.guard.schemes[i].offer(r, ErrNoCredentials)))
	}
	s.nobody.Store(kept)
}

// holds reports whether every scheme challenges r as when kept was made.
func (s *standing) holds(kept *nobody, r Request) bool {
	for i := range s.guard.schemes {
		if !sameChallenges(s.guard.schemes[i].offer(r, ErrNoCredentials), kept.from[i]) {
			return false
		}
	}
	return true
}

// sameChallenges compares texts, which is quick where they are at one place.
func sameChallenges(a, b []challenge.Challenge) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].String() != b[i].String() {
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
	if s.look != nil {
		d.answers = new(answers)
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
