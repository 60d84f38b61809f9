package core

import (
	"errors"
	"time"
)

// Refusal is the answer that r would get if it was refused, by a guard of these
// parts and for a reason of the given kind: the challenges, fields and body that
// are sent for no credentials, a missing right, a limit, a dependency that failed.
// It is for what describes a service, such as an OpenAPI file, and for tests.
//
// Nothing is judged, no observer is told, and no limiter is asked. The message is
// the general one; a rule that names a scope, a code or a message of its own
// answers with those. A kind that is not one of the package's is [Faulty].
func (g *Guard) Refusal(r Request, kind Kind) Response {
	d := g.example(r, kind)
	if g.hides(d) {
		return *notFound
	}
	return *g.answer(r, d)
}

// errExample is the cause of refusals that are made to be shown.
var errExample = errors.New("an example")

// example is a denial of a kind, as it comes about at a gate.
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
