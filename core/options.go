package core

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/internal/isnil"
	"github.com/sallyport-go/sallyport/core/internal/wrapped"
)

// WithAuthorizer sets the authorizer that the Authorize gate asks.
func WithAuthorizer(a Authorizer) Option {
	return func(g *Guard) error {
		if isnil.Value(a) {
			return errors.New("authorizer is nil")
		}
		if g.given.authorizer {
			return errors.New("two authorizers: combine them with rule.All or rule.Any")
		}
		g.authorizer, g.given.authorizer = a, true
		if err := checkWrapper(a, maxWrappers); err != nil {
			return fmt.Errorf("authorizer: %w", err)
		}
		g.anonymous, _ = a.(AnonymousAuthorizer)
		if source, ok := wrapped.As[RoleSource](a); ok && !g.given.roles {
			g.roles = source
		}
		return nil
	}
}

// WithRoles adds the roles of a source that is not the authorizer itself, and
// is asked in place of it.
func WithRoles(s RoleSource) Option {
	return func(g *Guard) error {
		if isnil.Value(s) {
			return errors.New("role source is nil")
		}
		if g.given.roles {
			return errors.New("two role sources")
		}
		if err := checkSource(s, maxWrappers); err != nil {
			return fmt.Errorf("role source: %w", err)
		}
		g.roles, g.given.roles = s, true
		return nil
	}
}

// WithResponder sets what denials look like.
func WithResponder(r Responder) Option {
	return func(g *Guard) error {
		if isnil.Value(r) {
			return errors.New("responder is nil")
		}
		if g.given.responder {
			return errors.New("two responders: choose by request with respond.New")
		}
		g.responder, g.given.responder = r, true
		return nil
	}
}

// WithObserver adds an observer. The first one given replaces the default, and
// in a variant those of the guard it is made from.
func WithObserver(o Observer) Option {
	return func(g *Guard) error {
		if isnil.Value(o) {
			return errors.New("observer is nil")
		}
		if !g.given.observers {
			g.observers, g.given.observers = nil, true
		}
		g.observers = append(g.observers, o)
		return nil
	}
}

// WithMethods lets methods outside RFC 9110 and PATCH, or TRACE and CONNECT,
// reach rules and handlers. Without it they are refused at every gate, unless
// the authorizer is a [MethodAuthorizer] that judges them.
func WithMethods(methods ...string) Option {
	return func(g *Guard) error {
		for _, m := range methods {
			if !challenge.IsToken(m) {
				return fmt.Errorf("method %q is not a token (RFC 9110 §9.1)", m)
			}
		}
		g.methods = append(g.methods, methods...)
		return nil
	}
}

// WithMaxPathSize sets how many bytes a request path may have, as it was sent and
// without query: 8 KiB by default, at least 1. A longer one is 400, before any
// rule: what it costs to hold a path against patterns grows with its length.
func WithMaxPathSize(bytes int) Option {
	return func(g *Guard) error {
		if bytes < 1 {
			return fmt.Errorf("max path size %d: must be at least 1 byte", bytes)
		}
		g.maxPath = bytes
		return nil
	}
}

// WithEncodedSlashes lets a path through whose encoded slashes all stand inside
// path parameters of one segment each, as in the npm registry's
// "/@scope%2Fname". Policies and rules see the slash as it was written, as
// "%2F" in capitals: a pattern for one segment matches such a segment, and a
// rule for "/a/b" has nothing to say of "/a%2Fb". [Request.Param] gives the
// parameter decoded, as handlers that decode it once see it.
//
// By default, and wherever the slash is in a literal part of the route or in a
// parameter that takes several segments, such a path is 400, since a program
// that decodes before it routes reads another path. Give it to no guard whose
// application, or proxy, does. The router must match the path as it was sent:
// Gin does with UseRawPath or UseEscapedPath, Fiber without UnescapePath, Echo
// and net/http's ServeMux always. Where the router does not tell which parameter has the
// slash, and in package forwardauth, such a path remains 400.
//
// To let some routes alone have it, give it to a variant: see [Guard.With].
func WithEncodedSlashes() Option {
	return func(g *Guard) error {
		g.encodedSlashes = true
		return nil
	}
}

// WithRetryAfter sets what a client is told to wait on a 503 when the failing
// part does not say; 5 s by default, at least 1 s.
func WithRetryAfter(d time.Duration) Option {
	return func(g *Guard) error {
		if d < time.Second {
			return fmt.Errorf("retry after %v: at least 1s", d)
		}
		g.retryAfter = d
		return nil
	}
}

// WithLogger sets where warnings go: those at assembly, and that a handler wrote
// after a refusal, which is never sent; slog's default otherwise.
func WithLogger(l *slog.Logger) Option {
	return func(g *Guard) error {
		if l == nil {
			return errors.New("logger is nil")
		}
		g.logger = l
		return nil
	}
}

// WithWarningsAsErrors turns warnings at assembly, such as a rule with a role the policy
// does not know, into errors.
func WithWarningsAsErrors() Option {
	return func(g *Guard) error {
		g.strict = true
		return nil
	}
}

// WithAttemptLimiter bounds how often credentials that can be guessed may be
// wrong (429). Without it nothing is counted.
func WithAttemptLimiter(l AttemptLimiter) Option {
	return func(g *Guard) error {
		if isnil.Value(l) {
			return errors.New("attempt limiter is nil")
		}
		if g.given.limiter {
			return errors.New("two attempt limiters")
		}
		g.limiter, g.given.limiter = l, true
		return nil
	}
}

// WithTrustedOrigins names origins, besides the request's own, whose pages may
// cause unsafe requests with credentials that the browser adds by itself. An
// origin is "https://app.example.com", with the port where it is not the
// scheme's own; it is compared exactly.
func WithTrustedOrigins(origins ...string) Option {
	return func(g *Guard) error {
		for _, o := range origins {
			if err := checkOrigin(o); err != nil {
				return fmt.Errorf("trusted origin %q: %w", o, err)
			}
		}
		g.origins, g.given.origins = append(g.origins, origins...), true
		return nil
	}
}

// WithClientAddress sets where the address in events comes from, commonly the
// Client method of a trust in proxies (package proxy). What it returns is used
// with an error too: it is then that of a proxy. Without this option it is the
// peer's.
func WithClientAddress(of func(Request) (netip.Addr, error)) Option {
	return func(g *Guard) error {
		if of == nil {
			return errors.New("client address is nil")
		}
		g.clientAddr = of
		return nil
	}
}

// WithoutPrompts keeps browsers from opening their password dialog over a page
// whose script made the request: where Sec-Fetch-Mode says anything but
// navigate, Basic and Digest are challenged for as xBasic and xDigest, names
// that no browser acts on and a script can tell.
func WithoutPrompts() Option {
	return func(g *Guard) error {
		g.noPrompts = true
		return nil
	}
}

// WithSchemes narrows the schemes to those named, in the order the guard has
// them. Credentials of any other scheme are then as good as none. It is for
// [Guard.With]; a name that the guard does not have is an error.
func WithSchemes(schemes ...string) Option {
	return func(g *Guard) error {
		if len(schemes) == 0 {
			return errors.New("schemes must not be empty: name at least one")
		}
		for _, name := range schemes {
			if !g.accepts(name) {
				return fmt.Errorf("scheme %q: the guard does not have it", name)
			}
		}
		g.schemes = slices.DeleteFunc(slices.Clone(g.schemes), func(s scheme) bool {
			return !slices.ContainsFunc(schemes, func(name string) bool { return strings.EqualFold(name, s.name) })
		})
		return nil
	}
}

// accepts reports whether scheme is one of the guard's.
func (g *Guard) accepts(name string) bool {
	return slices.ContainsFunc(g.schemes, func(s scheme) bool { return strings.EqualFold(name, s.name) })
}
