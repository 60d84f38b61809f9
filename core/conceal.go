package core

import "net/http"

// WithConcealment hides the routes of a guard, mostly a variant made with
// [Guard.With], from whoever may not use them: where the answer would be
// 401, 403 or 429, or 400 for an odd path, the adapter gives the one that the
// application has for a path that it does not know, to the byte, whoever asks
// (RFC 9110 §15.5.4). Events and logs still tell the refusal.
//
// native is the framework's handler for such paths, as registered with it:
// http.Handler, gin.HandlerFunc, echo.HandlerFunc or fiber.Handler. nil stands
// for the framework's own; mounting a gate with a handler of another framework
// fails.
//
// CORS preflights are hidden, too, whatever [WithCORS] says: anyone can name an
// origin. Scripts of other origins reach a hidden route behind a CORS middleware
// of the application's that stands in front of the router and answers all paths.
//
// A 404 has no challenge, so only those get in who send credentials unasked: a
// Bearer token, an API key, a session, a client certificate, or Basic at once.
// Digest does not work, nor does the dialog of a browser, nor a DPoP nonce; who
// has to sign in does so on another route.
//
// A router answers a method that a route lacks before any gate, with 405: mount
// hidden routes for all methods. docs/hidden-routes.md shows it.
//
// All gates of a hidden route must be of a concealing guard. As the answer is
// the application's own, so is its Cache-Control: let the handler send no-store
// if shared caches keep 404s (RFC 9110 §15.1).
func WithConcealment(native any) Option {
	return func(g *Guard) error {
		g.conceals, g.notFound = true, native
		return nil
	}
}

// Conceals is the handler given to [WithConcealment], and whether the gate conceals.
// It is for adapters, which check the handler's type when a gate is mounted.
func (t *Gate) Conceals() (native any, ok bool) {
	if t == nil || !t.guard.conceals {
		return nil, false
	}
	return t.guard.notFound, true
}

// notFound is what is sent should an adapter not know of concealment: poorer
// than the application's own answer, and closed.
var notFound = &Response{Status: http.StatusNotFound, Fields: []Field{noStore}}

// hides reports whether a guard that conceals gives d, nil for a preflight, as an
// unknown path. Failures it shows.
func (g *Guard) hides(d *Denial) bool {
	return g.conceals && (d == nil || d.Kind != Unavailable && d.Kind != Faulty)
}

// Concealed reports whether the adapter gives the application's own answer for an
// unknown path in place of Response. native is the handler given to
// [WithConcealment]; undo are fields that gates before this one have put into the
// response and that a path nobody knows would lack.
func (v *Verdict) Concealed() (native any, undo []Field, ok bool) {
	if !v.concealed {
		return nil, nil, false
	}
	if before := authContextFrom(v.Context); before != nil {
		undo = before.fields
	}
	return v.gate.guard.notFound, undo, true
}
