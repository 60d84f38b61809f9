package core

import (
	"slices"
	"sync/atomic"

	"github.com/sallyport-go/sallyport/core/internal/kept"
)

// denialCache keeps denials that are the same from request to request, with their
// responses: the one for a request without credentials, and those of policies that
// say nothing specific. Package kept explains why.
type denialCache struct {
	anonymous atomic.Pointer[Denial]
	changes   atomic.Int32 // how often anonymous was rebuilt
	forbidden kept.Map[Reason, *Denial]
	// variant numbers the responder's answer to a request; nil if its answers must
	// not be kept.
	variant func(Request) int
}

// maxChanges is how often challenges may change before the scheme is assumed never
// to repeat them, as with nonces.
const maxChanges = 8

// cacheableResponder is a responder that has a few answers to one denial, one for
// each variant, such as a format or language, so that they may be kept.
type cacheableResponder interface {
	// Variants returns the responder itself, since one that embeds it may answer
	// differently, and a function that numbers the variant for a request from 0; a
	// negative number marks an answer that must not be kept.
	Variants() (of any, number func(Request) int)
}

// answers are those to one denial, by their variants.
type answers = kept.Map[int, *Response]

func newDenialCache(g *Guard) *denialCache {
	c := new(denialCache)
	if l, ok := g.responder.(cacheableResponder); ok && len(g.cors) == 0 {
		if of, number := l.Variants(); of == any(g.responder) {
			c.variant = number
		}
	}
	return c
}

// keepAnswers marks the answers to d to be kept.
func (c *denialCache) keepAnswers(d *Denial) {
	if c.variant != nil {
		d.answers = new(answers)
	}
}

// anonymousDenial is the denial for a request without credentials.
func (g *Guard) anonymousDenial(r Request) *Denial {
	c := g.denials
	scripted := g.noPrompts && isScripted(r)
	if d := c.anonymous.Load(); d != nil && !scripted && g.challengesStill(d, r) {
		return d
	}
	d := newDenial(Unauthenticated, CodeAuthenticationRequired, ReasonNoCredentials, nil)
	g.challenge(d, r, -1, ErrNoCredentials)
	switch {
	case scripted || g.informs:
	case c.changes.Add(1) > maxChanges:
		c.changes.Store(maxChanges)
		c.anonymous.Store(nil)
	default:
		d.Challenges = slices.Clone(d.Challenges) // schemes may overwrite theirs
		c.keepAnswers(d)
		c.anonymous.Store(d)
	}
	return d
}

// challengesStill reports whether every scheme challenges r as it did when d was
// made.
func (g *Guard) challengesStill(d *Denial, r Request) bool {
	rest := d.Challenges
	for i := range g.schemes {
		now := g.schemes[i].offer(r, ErrNoCredentials)
		if len(now) > len(rest) {
			return false
		}
		for j := range now {
			if now[j].String() != rest[j].String() {
				return false
			}
		}
		rest = rest[len(now):]
	}
	return len(rest) == 0
}

// forbiddenDenial returns the denial for a known principal if only a reason is
// known.
func (g *Guard) forbiddenDenial(reason Reason) *Denial {
	if d, ok := g.denials.forbidden.Get(reason); ok {
		return d
	}
	d := newDenial(Forbidden, CodeForbidden, reason, nil)
	g.denials.keepAnswers(d)
	g.denials.forbidden.Put(reason, d)
	return d
}

// answer returns the answer to d, made once for each variant if d is kept.
func (g *Guard) answer(r Request, d *Denial) *Response {
	if d.answers == nil {
		return g.render(r, d)
	}
	variant := g.denials.variant(r)
	if variant < 0 {
		return g.render(r, d)
	}
	if resp, ok := d.answers.Get(variant); ok {
		return resp
	}
	resp := g.render(r, d)
	resp.Fields = slices.Clip(resp.Fields) // so that append copies
	for i, f := range resp.Fields {
		if f.shared == nil {
			resp.Fields[i] = sharedField(f.Name, f.Value)
		}
	}
	d.answers.Put(variant, resp)
	return resp
}
