package core

import (
	"context"
	"net/http"
	"strings"
)

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
		g.concealment = &Concealment{Native: native}
		return nil
	}
}

// Concealment is how refusals are hidden.
type Concealment struct {
	// Native is the handler given to [WithConcealment].
	Native any
	// Undo are fields that gates before this one have put into the response
	// and that a path nobody knows would lack.
	Undo []Field
}

// Conceals is the handler given to [WithConcealment], and whether the gate conceals.
// It is for adapters, which check the handler's type when a gate is mounted.
func (t *Gate) Conceals() (native any, ok bool) {
	if t == nil || t.guard.concealment == nil {
		return nil, false
	}
	return t.guard.concealment.Native, true
}

// notFound is what is sent should an adapter not know of concealment: poorer
// than the application's own answer, and closed.
var notFound = &Response{Status: http.StatusNotFound, Fields: []Field{noStore}}

// conceal is how d is hidden from a request with ctx, or nil if it is not.
func (g *Guard) conceal(ctx context.Context, d *Denial) *Concealment {
	if g.concealment == nil || d != nil && (d.Kind == Unavailable || d.Kind == Faulty) {
		return nil
	}
	pass := passageFrom(ctx)
	if pass == nil || len(pass.fields) == 0 {
		return g.concealment
	}
	return &Concealment{Native: g.concealment.Native, Undo: pass.fields}
}

// RemoveFields takes back what [AddFields] did, as far as it can be told from
// what others have set.
func RemoveFields(h http.Header, fields []Field) {
	for _, f := range fields {
		name := http.CanonicalHeaderKey(f.Name)
		if kept := f.Without(h[name]); len(kept) > 0 {
			h[name] = kept
		} else {
			delete(h, name)
		}
	}
}

// Without are the lines of a response's field, save those that f has put among
// them. It is for adapters, which take back the fields of a [Concealment].
func (f Field) Without(lines []string) []string {
	kept := make([]string, 0, len(lines))
	for _, line := range lines {
		if line != f.Value && (!strings.EqualFold(f.Name, "Vary") || len(MissingMembers([]string{f.Value}, line)) > 0) {
			kept = append(kept, line)
		}
	}
	return kept
}
