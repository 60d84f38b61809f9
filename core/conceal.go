package core

import "net/http"

// WithConcealment hides the routes of a guard, usually a variant made with
// [Guard.With], from clients that may not use them: instead of 401, 403, 429, or
// 400 for an ambiguous path, every such client gets, byte for byte, the response
// that the application gives for an unknown path (RFC 9110 §15.5.4). Events and
// logs still record the refusal.
//
// native is the handler for unknown paths that is registered with the framework: an
// http.Handler, gin.HandlerFunc, echo.HandlerFunc or fiber.Handler. nil stands for
// the framework's default; mounting a gate with a handler of another framework
// fails.
//
// CORS preflights are hidden too, whatever [WithCORS] says, because anyone can name
// an origin. To let scripts of other origins reach a hidden route, put a CORS
// middleware that answers for all paths in front of the router.
//
// A 404 has no challenge, so only clients that send credentials unasked get in: a
// Bearer token, an API key, a session, a client certificate, or preemptive Basic.
// Digest, a browser's password dialog and DPoP nonces do not work; users sign in on
// another route.
//
// A router answers a method that a route lacks with 405 before any gate runs, so
// mount hidden routes for all methods. See docs/hidden-routes.md.
//
// All gates of a hidden route must belong to a concealing guard. The response is
// the application's own, and so is its Cache-Control: let the handler send no-store
// if shared caches keep 404s (RFC 9110 §15.1).
func WithConcealment(native any) Option {
	return func(g *Guard) error {
		g.conceals, g.notFound = true, native
		return nil
	}
}

// Conceals returns the handler given to [WithConcealment], and reports whether the
// gate conceals. It is for adapters, which check the handler's type when a gate is
// mounted.
func (t *Gate) Conceals() (native any, ok bool) {
	if t == nil || !t.guard.conceals {
		return nil, false
	}
	return t.guard.notFound, true
}

// notFound is sent if an adapter does not support concealment: distinguishable from
// the application's own 404, but it fails closed.
var notFound = &Response{Status: http.StatusNotFound, Fields: []Field{noStore}}

// hides reports whether a concealing guard answers d, nil for a preflight, as it
// does an unknown path. Failures are not hidden.
func (g *Guard) hides(d *Denial) bool {
	return g.conceals && (d == nil || d.Kind != Unavailable && d.Kind != Faulty)
}

// Concealed reports whether the adapter must give the application's own response
// for an unknown path in place of Response. native is the handler given to
// [WithConcealment]; undo lists the fields that earlier gates have put into the
// response and that the response for an unknown path would lack.
func (v *Verdict) Concealed() (native any, undo []Field, ok bool) {
	if !v.concealed {
		return nil, nil, false
	}
	if before := authContextFrom(v.Context); before != nil {
		undo = before.fields
	}
	return v.gate.guard.notFound, undo, true
}
