package core

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/core/internal/ascii"
)

// WithCORS lets scripts of the named origins see that they were refused, and why:
// refusals of their requests carry the CORS fields without which the browser hides
// the response, and expose WWW-Authenticate, Retry-After and DPoP-Nonce (Fetch
// standard, "CORS protocol"). A preflight that reaches a gate is answered.
//
// Responses to requests that pass are left to the application's own CORS
// middleware, which may come before the gates or after them. An origin is written
// and compared as in [WithTrustedOrigins], which this option does not imply: seeing
// a response is one thing, sending a user's cookie another.
func WithCORS(origins ...string) Option {
	return func(g *Guard) error {
		if len(origins) == 0 {
			return errors.New("CORS: no origin: name those whose scripts may read refusals")
		}
		for _, o := range origins {
			if err := checkOrigin(o); err != nil {
				return fmt.Errorf("CORS origin %q: %w", o, err)
			}
		}
		g.cors = append(g.cors, origins...)
		return nil
	}
}

const exposeHeaders = "Access-Control-Expose-Headers"

// exposedFields lists the fields of a refusal that a script needs.
const exposedFields = "WWW-Authenticate, Retry-After, DPoP-Nonce"

var varyOrigin = sharedField("Vary", "Origin")

// corsOrigin returns the request's origin if its scripts may read refusals, or "".
func (g *Guard) corsOrigin(r Request) string {
	if origin, n := r.Header("Origin"); n == 1 && slices.Contains(g.cors, origin) {
		return origin
	}
	return ""
}

// corsFields returns the fields that let the script behind r read its refusal. Even
// if it may not, the response depends on the origin.
func (g *Guard) corsFields(r Request) []Field {
	if len(g.cors) == 0 {
		return nil
	}
	origin := g.corsOrigin(r)
	if origin == "" {
		return []Field{varyOrigin}
	}
	return []Field{
		{Name: "Access-Control-Allow-Origin", Value: origin},
		{Name: "Access-Control-Allow-Credentials", Value: "true"},
		{Name: exposeHeaders, Value: exposedFields},
		varyOrigin,
	}
}

// preflight returns the response to a CORS preflight. The gates decide which method
// and fields are acceptable once the request itself arrives.
func (g *Guard) preflight(r Request) *Response {
	resp := &Response{Status: http.StatusNoContent}
	if len(g.cors) == 0 {
		return resp
	}
	resp.Fields = []Field{{Name: "Vary", Value: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}}
	origin := g.corsOrigin(r)
	if origin == "" {
		return resp
	}
	resp.Fields = append(resp.Fields,
		Field{Name: "Access-Control-Allow-Origin", Value: origin},
		Field{Name: "Access-Control-Allow-Credentials", Value: "true"})
	for _, what := range []string{"Method", "Headers"} {
		v, n := r.Header("Access-Control-Request-" + what)
		if n == 1 && isTokenList(v) {
			resp.Fields = append(resp.Fields, Field{Name: "Access-Control-Allow-" + strings.TrimSuffix(what, "s") + "s", Value: v})
		}
	}
	return resp
}

// isTokenList reports whether s holds only tokens, commas and spaces (RFC 9110
// §5.6.1, §5.6.2), and so may be sent back.
func isTokenList(s string) bool {
	return ascii.Only(s, "!#$%&'*+-.^_`|~, ")
}

// isPreflight reports whether an OPTIONS request is a CORS preflight (Fetch
// standard, "CORS-preflight request").
func isPreflight(r Request) bool {
	if _, n := r.Header("Origin"); n != 1 {
		return false
	}
	_, n := r.Header("Access-Control-Request-Method")
	return n == 1
}
