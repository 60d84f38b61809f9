package rule

import (
	"context"
	"fmt"
	"slices"

	"github.com/sallyport-go/sallyport/core"
)

// Scope allows a principal whose credentials were issued for all the given scopes.
// Scopes are compared exactly and case-sensitively, so "read" never stands for
// "readonly" (RFC 6749 §3.3, RFC 6750 §3).
//
// A refusal names all the scopes, so that the response carries insufficient_scope
// and the scope to ask for (RFC 6750 §3.1).
//
// It panics if no scope is given, one is given twice, or one is not a scope-token
// of RFC 6749 §3.3: one or more printable ASCII characters other than space, quote
// and backslash.
func Scope(scopes ...string) core.Authorizer {
	s := &scope{scopes: list("Scope", "scope", scopes), label: newLabel("Scope", scopes...)}
	for _, token := range s.scopes {
		for i := range len(token) {
			if c := token[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
				panic(fmt.Sprintf("rule.Scope: scope %q: byte %#02x at offset %d is not allowed in a scope (RFC 6749 §3.3); give each scope as its own argument", token, c, i))
			}
		}
	}
	return s
}

type scope struct {
	label
	scopes []string
}

func (s *scope) Authorize(_ context.Context, p *core.Principal, _ core.Access) (core.Decision, error) {
	for _, token := range s.scopes {
		if !p.HasScope(token) {
			return core.Decision{
				Reason: core.ReasonMissingScope,
				Rule:   s.String(),
				Scopes: slices.Clone(s.scopes),
			}, nil
		}
	}
	return core.Decision{Allowed: true, Rule: s.String()}, nil
}
