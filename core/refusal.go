package core

import (
	"errors"
	"time"
)

// Refusal returns the response that r would get if the guard refused it with a
// denial of the given kind: the challenges, fields and body for missing
// credentials, a missing right, a limit, a failed dependency and so on. It is for
// descriptions of a service, such as an OpenAPI file, and for tests.
//
// Nothing is decided, no observer is told, and no limiter is asked. The message is
// the general one, although a rule may give a scope, a code or a message of its
// own. A kind that this package does not define is taken as [Faulty].
func (g *Guard) Refusal(r Request, kind Kind) Response {
	d := g.example(r, kind)
	if g.hides(d) {
		return *notFound
	}
	return *g.answer(r, d)
}

// errExample is the cause of the denials that Refusal makes.
var errExample = errors.New("an example")

// example returns a denial of a kind, as a gate would make it.
func (g *Guard) example(r Request, kind Kind) *Denial {
	switch kind {
	case Unauthenticated:
		return g.anonymousDenial(r)
	case Forbidden:
		return g.forbiddenDenial(ReasonDenied)
	case Ambiguous:
		return newDenial(Ambiguous, CodeAmbiguousPath, ReasonAmbiguousPath, ErrAmbiguousPath)
	case Unavailable:
		return g.failure(&UnavailableError{Err: errExample})
	case Limited:
		return g.refuse(r, -1, &LimitError{RetryAfter: time.Second})
	default:
		return g.failure(&InternalError{Err: errExample})
	}
}
